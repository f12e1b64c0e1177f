#include "tests/lab/agent_watch.h"

#include <grpcpp/create_channel_posix.h>

#include <chrono>
#include <utility>

#include "absl/time/clock.h"
#include "common/base/text.h"
#include "tests/lab/stream.h"

namespace ballast::lab {

absl::StatusOr<std::unique_ptr<AgentWatch>> AgentWatch::Connect(const Address& agent,
                                                                const guest::v1::WatchRequest& request,
                                                                absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  while (true) {
    auto watch = TryConnect(agent, request);
    if (watch.ok() || absl::Now() > deadline) return watch;
    absl::SleepFor(absl::Milliseconds(50));
  }
}

absl::StatusOr<std::unique_ptr<AgentWatch>> AgentWatch::TryConnect(const Address& agent,
                                                                   const guest::v1::WatchRequest& request) {
  absl::StatusOr<Stream> stream = Stream::Connect(agent, absl::Now() + absl::Seconds(5));
  if (!stream.ok()) return stream.status();
  std::unique_ptr<AgentWatch> watch(new AgentWatch());
  watch->channel_ = grpc::CreateInsecureChannelFromFd("guest", stream->Release().Release());
  watch->stub_ = guest::v1::GuestAgent::NewStub(watch->channel_);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
  const grpc::Status asked = watch->stub_->GetInfo(&context, {}, &watch->info_);
  if (!asked.ok()) return absl::UnavailableError(asked.error_message());
  watch->reader_ = watch->stub_->Watch(&watch->context_, request);
  guest::v1::WatchResponse hello;
  if (!watch->reader_->Read(&hello) || !hello.has_hello()) return absl::UnavailableError("no hello");
  watch->hello_ = hello.hello();
  watch->seen_.push_back({absl::Now(), hello.hello().report()});
  watch->thread_ = std::thread([self = watch.get()] { self->Run(); });
  return watch;
}

AgentWatch::~AgentWatch() {
  context_.TryCancel();
  if (thread_.joinable()) thread_.join();
}

void AgentWatch::Run() {
  guest::v1::WatchResponse response;
  while (reader_->Read(&response)) {
    const std::lock_guard lock(mutex_);
    if (response.has_event()) events_.push_back(response.event());
    if (response.has_report()) seen_.push_back({absl::Now(), response.report()});
    changed_.notify_all();
  }
  const grpc::Status status = reader_->Finish();
  const std::lock_guard lock(mutex_);
  ended_ = absl::UnavailableError(StrCat("the stream ended: ", status.error_message()));
}

std::vector<guest::v1::Event> AgentWatch::Events(const std::function<bool(const guest::v1::Event&)>& wanted,
                                                 size_t count, absl::Duration timeout) {
  std::vector<guest::v1::Event> found;
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, absl::ToChronoNanoseconds(timeout), [&] {
    found.clear();
    for (const auto& event : events_) {
      if (wanted(event)) found.push_back(event);
    }
    return found.size() >= count;
  });
  return found;
}

std::vector<guest::v1::OomVerdict> AgentWatch::Verdicts(size_t count, absl::Duration timeout) {
  std::vector<guest::v1::OomVerdict> verdicts;
  for (const auto& event : Events([](const auto& one) { return one.has_oom_verdict(); }, count, timeout)) {
    verdicts.push_back(event.oom_verdict());
  }
  return verdicts;
}

guest::v1::Report AgentWatch::LastReport() {
  const std::lock_guard lock(mutex_);
  return seen_.back().report;
}

std::optional<guest::v1::Report> AgentWatch::Until(
    const std::function<bool(const guest::v1::Report&)>& enough, absl::Duration timeout) {
  std::unique_lock lock(mutex_);
  const bool came = changed_.wait_for(lock, absl::ToChronoNanoseconds(timeout),
                                      [&] { return enough(seen_.back().report); });
  return came ? std::make_optional(seen_.back().report) : std::nullopt;
}

std::vector<AgentWatch::SeenReport> AgentWatch::Reports() {
  const std::lock_guard lock(mutex_);
  return seen_;
}

absl::Status AgentWatch::Ended() {
  const std::lock_guard lock(mutex_);
  return ended_;
}

}  // namespace ballast::lab
