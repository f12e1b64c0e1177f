#include "guest-agent/service/watch_stream.h"

#include <utility>

#include "guest-agent/service/convert.h"

namespace ballast::agent {

// gRPC's handle on the call. Every callback takes its own reference, since Finish may end in OnDone, and so
// in the reactor's deletion, before the callback returns.
class WatchStream::Reactor final : public grpc::ServerWriteReactor<guest::v1::WatchResponse> {
 public:
  Reactor(std::shared_ptr<WatchStream> stream, std::function<void()> on_done)
      : stream_(std::move(stream)), on_done_(std::move(on_done)) {}

  void OnWriteDone(bool ok) override {
    const auto stream = stream_;
    stream->WriteDone(ok);
  }
  void OnCancel() override {
    const auto stream = stream_;
    stream->End(grpc::Status::CANCELLED);
  }
  void OnDone() override {
    stream_->over_.store(true, std::memory_order_release);
    on_done_();
    delete this;
  }

 private:
  const std::shared_ptr<WatchStream> stream_;
  const std::function<void()> on_done_;
};

grpc::ServerWriteReactor<guest::v1::WatchResponse>* WatchStream::Open(std::function<void()> on_done) {
  auto* const reactor = new Reactor(shared_from_this(), std::move(on_done));
  Lock lock(mutex_);
  reactor_ = reactor;
  Pump(std::move(lock));
  return reactor;
}

void WatchStream::OfferHello(const ReportFacts& report) {
  Lock lock(mutex_);
  hello_due_ = true;
  report_ = report;
  report_sequence_ = ++last_sequence_;
  Pump(std::move(lock));
}

void WatchStream::OfferReport(const ReportFacts& report) {
  Lock lock(mutex_);
  report_ = report;
  report_sequence_ = ++last_sequence_;
  Pump(std::move(lock));
}

void WatchStream::OfferEvent(const EventFacts& event) {
  Lock lock(mutex_);
  if (event_count_ == kMaxEvents) {
    ++events_lost_;
    return;
  }
  events_[(first_event_ + event_count_++) % kMaxEvents] = {++last_sequence_, event};
  Pump(std::move(lock));
}

void WatchStream::End(const grpc::Status& status) {
  Lock lock(mutex_);
  if (!end_) end_ = status;
  Pump(std::move(lock));
}

void WatchStream::WriteDone(bool ok) {
  Lock lock(mutex_);
  writing_ = false;
  if (!ok && !end_) end_ = grpc::Status::CANCELLED;  // the client is gone
  Pump(std::move(lock));
}

// Starts what is due, if nothing is under way. While writing_ is set Finish is not called, so the reactor
// cannot go away between the unlock and the call on it.
void WatchStream::Pump(Lock lock) {
  if (reactor_ == nullptr || writing_ || finished_) return;
  Reactor* const reactor = reactor_;
  if (end_) {
    finished_ = true;
    const grpc::Status status = *end_;
    lock.unlock();
    reactor->Finish(status);
    return;
  }
  if (!FillNext()) return;
  writing_ = true;
  lock.unlock();
  reactor->StartWrite(&message_);
}

// The waiting message with the smallest number into message_; false when none waits.
bool WatchStream::FillNext() {
  const bool event_first =
      !hello_due_ && event_count_ > 0 && (!report_ || events_[first_event_].sequence < report_sequence_);
  if (!event_first && !report_) return false;
  message_.Clear();
  if (event_first) {
    message_.set_sequence(events_[first_event_].sequence);
    FillEvent(events_[first_event_].facts, *message_.mutable_event());
    first_event_ = (first_event_ + 1) % kMaxEvents;
    --event_count_;
    return true;
  }
  message_.set_sequence(report_sequence_);
  if (hello_due_) {
    FillHello(identity_, settings_, *message_.mutable_hello());
    FillReport(*report_, events_lost_, *message_.mutable_hello()->mutable_report());
    hello_due_ = false;
  } else {
    FillReport(*report_, events_lost_, *message_.mutable_report());
  }
  report_.reset();
  return true;
}

}  // namespace ballast::agent
