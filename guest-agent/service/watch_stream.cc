#include "guest-agent/service/watch_stream.h"

#include <utility>

#include "guest-agent/service/convert.h"
#include "guest-agent/service/convert_event.h"

namespace ballast::agent {

void WatchStream::OfferHello(const ReportFacts& report) {
  {
    const std::lock_guard lock(mutex_);
    hello_due_ = true;
    greeted_ = true;
    report_ = report;
    // Nothing was sent before it: it gets the first number, and events that came already the next ones.
    report_sequence_ = 1;
    last_sequence_ = 1;
    for (size_t i = 0; i < event_count_; ++i) {
      events_[(first_event_ + i) % kMaxEvents].sequence = ++last_sequence_;
    }
  }
  changed_.notify_one();
}

void WatchStream::OfferReport(const ReportFacts& report) {
  {
    const std::lock_guard lock(mutex_);
    report_ = report;
    report_sequence_ = ++last_sequence_;
  }
  changed_.notify_one();
}

void WatchStream::OfferEvent(const EventFacts& event) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto* verdict = std::get_if<OomVerdict>(&event.what)) {
      if (verdict->id <= last_verdict_id_) return;
      last_verdict_id_ = verdict->id;
    }
    if (event_count_ == kMaxEvents) {
      ++events_lost_;
      return;
    }
    events_[(first_event_ + event_count_++) % kMaxEvents] = {++last_sequence_, event};
  }
  changed_.notify_one();
}

void WatchStream::End(const grpc::Status& status) {
  {
    const std::lock_guard lock(mutex_);
    if (!end_) end_ = status;
  }
  changed_.notify_one();
}

void WatchStream::Prod() {
  {
    const std::lock_guard lock(mutex_);
    prodded_ = true;
  }
  changed_.notify_one();
}

WatchStream::Turn WatchStream::Wait(std::chrono::milliseconds at_most) {
  std::unique_lock lock(mutex_);
  const auto writable = [this] { return greeted_ && (event_count_ > 0 || report_.has_value()); };
  changed_.wait_for(lock, at_most, [&] { return end_ || prodded_ || writable(); });
  if (end_) return Turn::kEnd;
  prodded_ = false;  // a write finds a departed client just as well
  return writable() ? Turn::kWrite : Turn::kLookAround;
}

void WatchStream::SetCancel(std::function<void()> cancel) {
  const std::lock_guard lock(mutex_);
  cancel_ = std::move(cancel);
}

void WatchStream::SetOver() {
  const std::lock_guard lock(mutex_);
  cancel_ = nullptr;
  over_.store(true, std::memory_order_release);
}

void WatchStream::CancelIfWritingSince(MonotonicTime limit) {
  const int64_t since = writing_since_ns_.load(std::memory_order_relaxed);
  if (since == 0 || since >= limit.ns) return;
  const std::lock_guard lock(mutex_);
  if (cancel_) cancel_();
}

// Turned into wire types outside the lock: the sampling thread shall not wait for that.
void WatchStream::FillNext(guest::v1::WatchResponse& message) {
  const Outgoing next = TakeNext();
  message.set_sequence(next.sequence);
  if (next.event) {
    FillEvent(*next.event, *message.mutable_event());
  } else if (next.hello) {
    FillHello(identity_, settings_, *message.mutable_hello());
    FillReport(next.report, next.events_lost, *message.mutable_hello()->mutable_report());
  } else {
    FillReport(next.report, next.events_lost, *message.mutable_report());
  }
}

grpc::Status WatchStream::EndStatus() const {
  const std::lock_guard lock(mutex_);
  return end_.value_or(grpc::Status::CANCELLED);
}

WatchStream::Outgoing WatchStream::TakeNext() {
  const std::lock_guard lock(mutex_);
  Outgoing next;
  const NumberedEvent& event = events_[first_event_];
  if (!hello_due_ && event_count_ > 0 && (!report_ || event.sequence < report_sequence_)) {
    next.sequence = event.sequence;
    next.event = event.facts;
    first_event_ = (first_event_ + 1) % kMaxEvents;
    --event_count_;
    return next;
  }
  next.sequence = report_sequence_;
  next.report = report_.value_or(ReportFacts{});
  next.hello = hello_due_;
  next.events_lost = events_lost_;
  hello_due_ = false;
  report_.reset();
  return next;
}

}  // namespace ballast::agent
