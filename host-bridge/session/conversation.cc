#include "host-bridge/session/conversation.h"

#include <grpcpp/create_channel_posix.h>

#include <chrono>
#include <utility>

#include "common/base/text.h"

namespace ballast::session {
namespace {

// Three round trips: the fastest bounds the error of the clock comparison, and the first one is cold.
constexpr int kInfoRounds = 3;
// A report is about 300 bytes, a full hello below 2 KiB; capabilities have texts. Nothing honest comes near.
constexpr int kMaxMessageBytes = 64 * 1024;
constexpr int kMaxMetadataBytes = 8 * 1024;

grpc::ChannelArguments Arguments() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetInt(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
  // Bandwidth is no concern of a stream of small messages, and its probes would answer every report with a ping.
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  return arguments;
}

absl::Status FromGrpc(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

std::string LacksOf(const guest::v1::GetInfoResponse& info) {
  constexpr int kMaxListed = 16;
  std::string lacks;
  for (int i = 0; i < info.capabilities_size() && i < kMaxListed; ++i) {
    const auto& capability = info.capabilities(i);
    if (capability.available()) continue;
    lacks += StrCat(lacks.empty() ? "" : "; ", capability.name().substr(0, 64), ": ",
                    capability.reason().substr(0, 200));
  }
  return lacks;
}

}  // namespace

// The standing call. Messages are handled on gRPC's thread, straight into the observer: this is the fast path from
// a guest's pressure to the decision.
class Conversation::Watch final : public grpc::ClientReadReactor<guest::v1::WatchResponse> {
 public:
  explicit Watch(Conversation& owner) : owner_(owner) {}

  void Begin(grpc::ClientContext* context) {
    owner_.stub_->async()->Watch(context, &owner_.settings_.request, this);
    StartRead(&message_);
    StartCall();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    owner_.OnMessage(message_);
    StartRead(&message_);
  }

  void OnDone(const grpc::Status& status) override {
    owner_.OnWatchDone(status.ok() ? absl::UnavailableError("the agent ended the stream") : FromGrpc(status));
  }

 private:
  Conversation& owner_;
  guest::v1::WatchResponse message_;
};

Conversation::Conversation(UniqueFd fd, const WatchSettings& settings, const Clock& clock, SessionObserver& observer)
    : settings_(settings),
      clock_(clock),
      observer_(observer),
      channel_(grpc::CreateCustomInsecureChannelFromFd("guest", fd.Release(), Arguments())),
      stub_(guest::v1::GuestAgent::NewStub(channel_)),
      infos_wanted_(kInfoRounds),
      heard_ns_(clock.Now().ns) {}

Conversation::~Conversation() = default;

void Conversation::Start(std::function<void(absl::Status)> on_end) {
  on_end_ = std::move(on_end);
  AskInfo();
}

void Conversation::Cancel() {
  std::lock_guard lock(mutex_);
  cancelled_ = true;
  if (info_context_) info_context_->TryCancel();
  if (watch_context_) watch_context_->TryCancel();
}

void Conversation::AskInfo() {
  grpc::ClientContext* context = nullptr;
  {
    std::lock_guard lock(mutex_);
    info_context_ = std::make_unique<grpc::ClientContext>();
    if (cancelled_) info_context_->TryCancel();
    info_running_ = true;
    info_.Clear();
    context = info_context_.get();
  }
  context->set_deadline(std::chrono::system_clock::now() + std::chrono::nanoseconds(settings_.info_deadline.count));
  const MonotonicTime asked = clock_.Now();
  stub_->async()->GetInfo(context, &info_request_, &info_,
                          [this, asked](const grpc::Status& status) { OnInfo(asked, status); });
}

void Conversation::OnInfo(MonotonicTime asked, const grpc::Status& status) {
  bool introducing = false;
  {
    std::lock_guard lock(mutex_);
    info_running_ = false;
    if (status.ok()) {
      clocks_compared_ = clock_.Now();
      clock_estimate_ = observe::Improve(clock_estimate_, {asked, info_.monotonic_ns(), clocks_compared_});
    }
    introducing = watch_context_ == nullptr;
    if (introducing && !status.ok()) watch_result_ = WithContext("GetInfo", FromGrpc(status));
  }
  if (!introducing || !status.ok()) return EndIfQuiet();
  if (--infos_wanted_ > 0) return AskInfo();
  Introduced();
}

void Conversation::Introduced() {
  boot_id_ = info_.boot_id().substr(0, 64);
  generation_ = info_.agent_generation();
  page_size_bytes_ = info_.page_size_bytes();
  observer_.OnIdentity({boot_id_, generation_, info_.agent_version().substr(0, 64),
                        info_.kernel_release().substr(0, 128), LacksOf(info_)});
  watch_ = std::make_unique<Watch>(*this);
  grpc::ClientContext* context = nullptr;
  {
    std::lock_guard lock(mutex_);
    watch_context_ = std::make_unique<grpc::ClientContext>();
    if (cancelled_) watch_context_->TryCancel();
    context = watch_context_.get();
  }
  watch_->Begin(context);
}

void Conversation::CompareClocksIfDue(MonotonicTime now) {
  {
    std::lock_guard lock(mutex_);
    if (info_running_ || cancelled_ || now - clocks_compared_ < settings_.clock_interval) return;
    clocks_compared_ = now;  // also when it fails: not again before the interval is over
  }
  AskInfo();
}

void Conversation::OnMessage(const guest::v1::WatchResponse& message) {
  heard_ns_.store(clock_.Now().ns, std::memory_order_relaxed);
  switch (message.body_case()) {
    case guest::v1::WatchResponse::kHello:
      // The agent may have restarted between GetInfo and Watch; what it says now is what this stream is about.
      if (message.hello().boot_id() != boot_id_ || message.hello().agent_generation() != generation_) {
        std::lock_guard lock(mutex_);
        refused_ = absl::AbortedError("the agent restarted while it was being introduced");
        watch_context_->TryCancel();
        return;
      }
      return OnReport(message.hello().report());
    case guest::v1::WatchResponse::kReport:
      return OnReport(message.report());
    case guest::v1::WatchResponse::kEvent:
      return OnEvent(message.event());
    case guest::v1::WatchResponse::BODY_NOT_SET:
      return;  // a kind of message newer than this bridge
  }
}

void Conversation::OnReport(const guest::v1::Report& report) {
  const MonotonicTime now = clock_.Now();
  observe::ReportContext context;
  context.agent_generation = generation_;
  context.page_size_bytes = page_size_bytes_;
  context.received_at = now;
  {
    std::lock_guard lock(mutex_);
    context.clock_offset = observe::OffsetAt(clock_estimate_, now);
  }
  absl::StatusOr<observe::ConvertedReport> converted = observe::ConvertReport(report, context, report_memory_);
  if (!converted.ok()) return observer_.OnRejected(converted.status());
  report_memory_ = converted->memory;
  observer_.OnReport({converted->reading, now}, report.level() >= guest::v1::LEVEL_PRESSED);
  CompareClocksIfDue(now);
}

void Conversation::OnEvent(const guest::v1::Event& event) {
  using Kind = GuestEvent::Kind;
  switch (event.kind_case()) {
    case guest::v1::Event::kOomKill:
      return observer_.OnEvent({Kind::kOomKill, event.oom_kill().kills()});
    case guest::v1::Event::kPressureTrigger:
      return observer_.OnEvent({Kind::kPressureTrigger, event.pressure_trigger().threshold_us()});
    case guest::v1::Event::kBalloonShrank:
      return observer_.OnEvent({Kind::kBalloonShrank, event.balloon_shrank().bytes()});
    case guest::v1::Event::KIND_NOT_SET:
      return;  // a kind of event newer than this bridge
  }
}

void Conversation::OnWatchDone(const absl::Status& result) {
  {
    std::lock_guard lock(mutex_);
    watch_result_ = refused_.ok() ? result : refused_;
    if (info_context_) info_context_->TryCancel();
  }
  EndIfQuiet();
}

void Conversation::EndIfQuiet() {
  std::function<void(absl::Status)> on_end;
  absl::Status result;
  {
    std::lock_guard lock(mutex_);
    if (!watch_result_ || info_running_) return;
    on_end = std::exchange(on_end_, nullptr);
    result = *watch_result_;
  }
  // The callee may destroy this object from another thread before the call returns: touch nothing after it.
  if (on_end) on_end(result);
}

}  // namespace ballast::session
