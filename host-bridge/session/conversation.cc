#include "host-bridge/session/conversation.h"

#include <grpcpp/create_channel_posix.h>

#include <chrono>
#include <utility>

#include "common/base/fixed_text.h"
#include "common/base/text.h"
#include "host-bridge/observe/convert_blocks.h"
#include "host-bridge/observe/convert_event.h"

namespace ballast::session {
namespace {

// Three round trips: the fastest bounds the error of the clock comparison, and the first one is cold.
constexpr int kInfoRounds = 3;
// A report is about 300 bytes, a full hello below 2 KiB; the longest list of memory blocks that is honest
// alternates 10,000 times.
constexpr int kMaxMessageBytes = 512 * 1024;
constexpr size_t kMostAnswers = 16;
// One that works and one that looks, with room for those that a broken link has not given back yet.
constexpr size_t kMostOrders = 4;
constexpr int kMaxMetadataBytes = 8 * 1024;

grpc::ChannelArguments Arguments() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetInt(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
  // A message's size is checked only after it was unpacked, and one thread serves all guests.
  arguments.SetInt(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  // Bandwidth is no concern of a stream of small messages, and its probes would answer every report with a
  // ping.
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  return arguments;
}

// The message is the agent's own word.
absl::Status FromGrpc(const grpc::Status& status) {
  const auto message = CleanFixedText<200>(status.error_message());
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), std::string(message.View()));
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
  // Who else brings blocks online may put them where they never leave again.
  const auto& rivals = info.memory_hotplug().rivals();
  for (int i = 0; i < rivals.size() && i < kMaxListed; ++i) {
    lacks += StrCat(lacks.empty() ? "" : "; ", "sole control of plugged memory: ", rivals[i].substr(0, 200));
  }
  return lacks;
}

}  // namespace

Conversation::Conversation(UniqueFd fd, const WatchSettings& settings, CallQueue& queue, const Clock& clock,
                           SessionObserver& observer, KnownVerdict& known)
    : settings_(settings),
      queue_(queue),
      clock_(clock),
      observer_(observer),
      known_(known),
      channel_(grpc::CreateCustomInsecureChannelFromFd("guest", fd.Release(), Arguments())),
      stub_(guest::v1::GuestAgent::NewStub(channel_)),
      heard_ns_(clock.Now().ns),
      answers_(queue, kMostAnswers, [this] { EndIfQuiet(); }),
      orders_(queue, kMostOrders, [this] { EndIfQuiet(); }),
      begin_{[this](bool) { AskInfo(); }},
      infos_wanted_(kInfoRounds),
      info_done_{[this](bool) { OnInfo(); }},
      started_{[this](bool ok) { OnStarted(ok); }},
      read_{[this](bool ok) { OnRead(ok); }},
      finished_{[this](bool) { OnFinished(); }} {}

Conversation::~Conversation() = default;

void Conversation::Start(std::function<void(absl::Status)> on_end) {
  on_end_ = std::move(on_end);
  queue_.Begin(alarm_, begin_);
}

void Conversation::Cancel(const absl::Status& why) {
  {
    std::lock_guard lock(mutex_);
    if (!cancelled_) cancelled_ = why;
    if (info_context_) info_context_->TryCancel();
    if (watch_context_) watch_context_->TryCancel();
  }
  answers_.Cancel();
  orders_.Cancel();
}

void Conversation::Answer(const MemoryAnswer& answer) {
  using Response = guest::v1::AnswerMemoryRequestResponse;
  // Neither an answer that finds no place nor what became of it matters here: an asker that has gone
  // (NOT_FOUND) needs nothing, and a connection that broke says so itself.
  static_cast<void>(answers_.Begin<Response>(
      settings_.info_deadline,
      [this, answer](grpc::ClientContext* context, grpc::CompletionQueue* queue) {
        guest::v1::AnswerMemoryRequestRequest request;
        request.set_id(static_cast<uint64_t>(answer.request));
        auto& response = *request.mutable_answer();
        response.set_granted_bytes(answer.granted_bytes);
        response.set_actuator(answer.actuator);
        response.set_eta_ms(answer.eta.count / 1'000'000);
        response.set_reason(answer.reason);
        return stub_->AsyncAnswerMemoryRequest(context, request, queue);
      },
      [](const grpc::Status&, const Response&) {}));
}

bool Conversation::Order(const observe::BlockOrder& order) {
  using Stub = guest::v1::GuestAgent::Stub;
  switch (order.action) {
    case observe::BlockAction::kList:
      return List(order);
    case observe::BlockAction::kOnline:
      return Change<guest::v1::OnlineMemoryRequest>(order, &Stub::AsyncOnlineMemory);
    case observe::BlockAction::kOffline:
      return Change<guest::v1::OfflineMemoryRequest>(order, &Stub::AsyncOfflineMemory);
  }
  return false;
}

bool Conversation::List(const observe::BlockOrder& order) {
  using Response = guest::v1::ListMemoryBlocksResponse;
  return orders_.Begin<Response>(
      order.deadline,
      [this](grpc::ClientContext* context, grpc::CompletionQueue* queue) {
        return stub_->AsyncListMemoryBlocks(context, {}, queue);
      },
      [this, id = order.id](const grpc::Status& status, const Response& response) {
        auto receipt = observe::ConvertBlocks(response);
        if (status.ok() && receipt.ok()) block_bytes_ = receipt->block_bytes;
        Deliver(id, status, std::move(receipt));
      },
      order.id);
}

template <typename Request, typename Response>
bool Conversation::Change(const observe::BlockOrder& order, BeginCall<Request, Response> begin) {
  return orders_.Begin<Response>(
      order.deadline,
      [this, order, begin](grpc::ClientContext* context, grpc::CompletionQueue* queue) {
        Request request;
        FillRequest(order, request);
        return (stub_.get()->*begin)(context, request, queue);
      },
      [this, id = order.id](const grpc::Status& status, const Response& response) {
        Deliver(id, status, observe::ConvertBlocks(response, block_bytes_));
      },
      order.id);
}

void Conversation::Deliver(uint64_t order, const grpc::Status& status,
                           absl::StatusOr<observe::BlockReceipt> receipt) {
  if (status.ok() && receipt.ok()) {
    receipt->id = order;
    return observer_.OnBlocks(*receipt);
  }
  observe::BlockReceipt refusal{.id = order, .status = status.ok() ? receipt.status() : FromGrpc(status)};
  // What it did by then nobody knows.
  const bool cut_off = status.error_code() == grpc::StatusCode::CANCELLED;
  if (cut_off) refusal.status = absl::UnavailableError("the link to the agent broke, or it was called off");
  observer_.OnBlocks(refusal);
}

// Replaces `slot` by a fresh context, cancelled from the start when the conversation is.
grpc::ClientContext* Conversation::Renew(std::unique_ptr<grpc::ClientContext>& slot) {
  std::lock_guard lock(mutex_);
  slot = std::make_unique<grpc::ClientContext>();
  if (cancelled_) slot->TryCancel();
  return slot.get();
}

void Conversation::AskInfo() {
  info_call_.reset();
  grpc::ClientContext* context = Renew(info_context_);
  context->set_deadline(std::chrono::system_clock::now() +
                        std::chrono::nanoseconds(settings_.info_deadline.count));
  info_.Clear();
  info_running_ = true;
  asked_at_ = clock_.Now();
  info_call_ = stub_->AsyncGetInfo(context, {}, queue_.Get());
  info_call_->Finish(&info_, &info_status_, &info_done_);
}

void Conversation::OnInfo() {
  info_running_ = false;
  if (info_status_.ok()) {
    clocks_compared_ = clock_.Now();
    clock_estimate_ = observe::Improve(clock_estimate_, {asked_at_, info_.monotonic_ns(), clocks_compared_});
  }
  const bool introducing = watch_call_ == nullptr;
  if (!introducing) return EndIfQuiet();
  if (!info_status_.ok()) {
    result_ = WithContext("GetInfo", FromGrpc(info_status_));
    return EndIfQuiet();
  }
  if (--infos_wanted_ > 0) return AskInfo();
  Introduced();
}

void Conversation::Introduced() {
  boot_id_ = info_.boot_id().substr(0, 64);
  generation_ = info_.agent_generation();
  page_size_bytes_ = info_.page_size_bytes();
  observer_.OnIdentity({boot_id_, generation_, info_.agent_version().substr(0, 64),
                        info_.kernel_release().substr(0, 128), observe::BlockBytesOf(info_), LacksOf(info_)});
  guest::v1::WatchRequest request = settings_.request;
  request.set_known_verdict_id(known_.id);
  request.set_known_verdict_generation(known_.generation);
  watch_call_ = stub_->AsyncWatch(Renew(watch_context_), request, queue_.Get(), &started_);
}

void Conversation::CompareClocksIfDue(MonotonicTime now) {
  if (info_running_ || now - clocks_compared_ < settings_.clock_interval) return;
  clocks_compared_ = now;  // also when it fails: not again before the interval is over
  AskInfo();
}

void Conversation::OnStarted(bool ok) {
  if (!ok) return watch_call_->Finish(&watch_status_, &finished_);
  watch_call_->Read(&message_, &read_);
}

void Conversation::OnRead(bool ok) {
  if (!ok) return watch_call_->Finish(&watch_status_, &finished_);
  OnMessage(message_);
  watch_call_->Read(&message_, &read_);
}

void Conversation::OnMessage(const guest::v1::WatchResponse& message) {
  heard_ns_.store(clock_.Now().ns, std::memory_order_relaxed);
  switch (message.body_case()) {
    case guest::v1::WatchResponse::kHello:
      // The agent may have restarted between GetInfo and Watch; what it says now is what this stream is
      // about.
      if (message.hello().boot_id() != boot_id_ || message.hello().agent_generation() != generation_) {
        return Cancel(absl::AbortedError("the agent restarted while it was being introduced"));
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

observe::ReportContext Conversation::ContextAt(MonotonicTime now) const {
  observe::ReportContext context;
  context.agent_generation = generation_;
  context.page_size_bytes = page_size_bytes_;
  context.received_at = now;
  context.clock_offset = observe::OffsetAt(clock_estimate_, now);
  return context;
}

void Conversation::OnReport(const guest::v1::Report& report) {
  const MonotonicTime now = clock_.Now();
  absl::StatusOr<observe::ConvertedReport> converted =
      observe::ConvertReport(report, ContextAt(now), report_memory_);
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
    case guest::v1::Event::kOomVerdict:
      return OnVerdict(event.oom_verdict());
    case guest::v1::Event::kOomBegins:
      return observer_.OnEvent({Kind::kOomBegins, event.oom_begins().cgroup() ? 1 : 0});
    case guest::v1::Event::kReclaimStall:
      return observer_.OnEvent({Kind::kReclaimStall, event.reclaim_stall().duration_us()});
    case guest::v1::Event::kMemoryRequest: {
      const auto request = observe::ConvertRequest(event, ContextAt(clock_.Now()));
      if (!request.ok()) return observer_.OnRejected(request.status());
      return observer_.OnMemoryRequest(*request, observe::CleanText(event.memory_request().asker(), 64));
    }
    case guest::v1::Event::kBlocksChanged:
      return observer_.OnEvent({Kind::kBlocksChanged, event.blocks_changed().ranges_size()});
    case guest::v1::Event::KIND_NOT_SET:
      return;  // a kind of event newer than this bridge
  }
}

void Conversation::OnVerdict(const guest::v1::OomVerdict& verdict) {
  if (known_.generation == generation_ && verdict.id() <= known_.id) return;  // told before
  const auto converted = observe::ConvertVerdict(verdict, ContextAt(clock_.Now()));
  if (!converted.ok()) return observer_.OnRejected(converted.status());
  known_ = {generation_, verdict.id()};
  observer_.OnVerdict(*converted);
}

void Conversation::OnFinished() {
  result_ =
      watch_status_.ok() ? absl::UnavailableError("the agent ended the stream") : FromGrpc(watch_status_);
  Cancel(*result_);  // what still runs beside it ends with it
  EndIfQuiet();
}

absl::Status Conversation::FinalResult() {
  const absl::Status result = *std::exchange(result_, std::nullopt);
  std::lock_guard lock(mutex_);
  return cancelled_.value_or(result);
}

void Conversation::EndIfQuiet() {
  if (!result_ || info_running_) return;
  const bool answered = answers_.Close();
  if (!orders_.Close() || !answered) return;
  // The callee may destroy this object from another thread before the call returns: touch nothing after it.
  const auto on_end = std::move(on_end_);
  on_end(FinalResult());
}

}  // namespace ballast::session
