// A session against a scripted agent: introduced, watched, fallen silent, held, renewed. The agent is a real
// gRPC server on a Unix socket that says only what the test tells it to.
#include "host-bridge/session/guest_session.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>

#include "common/base/text.h"

namespace ballast::session {
namespace {

using ::testing::HasSubstr;

class ScriptedAgent final : public guest::v1::GuestAgent::Service {
 public:
  explicit ScriptedAgent(const std::string& path) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("unix:" + path, grpc::InsecureServerCredentials());
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~ScriptedAgent() override {
    over_ = true;
    server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
  }

  grpc::Status GetInfo(grpc::ServerContext*, const guest::v1::GetInfoRequest*,
                       guest::v1::GetInfoResponse* info) override {
    info->set_boot_id("boot-1");
    info->set_agent_generation(7);
    info->set_page_size_bytes(4096);
    info->set_monotonic_ns(SystemClock().Now().ns);
    return grpc::Status::OK;
  }

  grpc::Status Watch(grpc::ServerContext* context, const guest::v1::WatchRequest* request,
                     grpc::ServerWriter<guest::v1::WatchResponse>* writer) override {
    known_verdict = request->known_verdict_id();
    known_generation = request->known_verdict_generation();
    ++watches;
    guest::v1::WatchResponse message;
    guest::v1::Hello& hello = *message.mutable_hello();
    hello.set_boot_id("boot-1");
    hello.set_agent_generation(generation_in_hello);
    Fill(*hello.mutable_report());
    writer->Write(message);
    for (uint64_t id = 1; id <= verdicts; ++id) writer->Write(Verdict(id));
    if (requests) writer->Write(Request());
    while (!context->IsCancelled() && !over_) {
      if (talkative) {
        guest::v1::WatchResponse next;
        Fill(*next.mutable_report());
        writer->Write(next);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return grpc::Status::OK;
  }

  grpc::Status AnswerMemoryRequest(grpc::ServerContext* context,
                                   const guest::v1::AnswerMemoryRequestRequest* request,
                                   guest::v1::AnswerMemoryRequestResponse*) override {
    const guest::v1::RequestMemoryResponse& answer = request->answer();
    {
      const std::lock_guard lock(mutex_);
      answers_.push_back(StrCat(request->id(), ": ", answer.granted_bytes(), " by ", answer.actuator(),
                                " in ", answer.eta_ms(), " ms; ", answer.reason()));
    }
    while (hangs && !context->IsCancelled() && !over_) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return {grpc::StatusCode::NOT_FOUND, "its asker has gone"};
  }
  grpc::Status ListMemoryBlocks(grpc::ServerContext*, const guest::v1::ListMemoryBlocksRequest*,
                                guest::v1::ListMemoryBlocksResponse* response) override {
    response->set_block_size_bytes(int64_t{128} << 20);
    guest::v1::BlockRange& range = *response->add_ranges();
    range.set_first(32);
    range.set_count(2);
    range.set_state(guest::v1::BLOCK_STATE_ONLINE);
    range.set_zone("Movable");
    return grpc::Status::OK;
  }
  grpc::Status OfflineMemory(grpc::ServerContext* context, const guest::v1::OfflineMemoryRequest* request,
                             guest::v1::OfflineMemoryResponse* response) override {
    while (hangs && !context->IsCancelled() && !over_) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    if (request->ranges_size() != 1) return {grpc::StatusCode::INVALID_ARGUMENT, "ranges: one is needed"};
    guest::v1::BlockResult& result = *response->add_blocks();
    result.set_block(33);
    result.set_result(guest::v1::BlockResult::RESULT_FAILED);
    result.set_error(16);
    result.set_reason("it has pages that cannot move\n");
    return grpc::Status::OK;
  }
  [[nodiscard]] std::vector<std::string> Answers() {
    const std::lock_guard lock(mutex_);
    return answers_;
  }

  std::atomic<int> watches = 0;
  std::atomic<bool> requests = false;
  std::atomic<bool> hangs = false;
  std::atomic<bool> talkative = true;
  std::atomic<uint64_t> generation_in_hello = 7;
  // Sent after each hello, whatever the client says that it knows.
  std::atomic<uint64_t> verdicts = 0;
  std::atomic<uint64_t> known_verdict = 99;
  std::atomic<uint64_t> known_generation = 99;

 private:
  static guest::v1::WatchResponse Verdict(uint64_t id) {
    guest::v1::WatchResponse message;
    auto& verdict = *message.mutable_event()->mutable_oom_verdict();
    verdict.set_id(id);
    verdict.set_pid(static_cast<int32_t>(id));
    verdict.set_comm("\x1b[31mdb");
    verdict.set_scope(guest::v1::OomVerdict::SCOPE_HOST);
    return message;
  }

  static guest::v1::WatchResponse Request() {
    guest::v1::WatchResponse message;
    message.mutable_event()->set_monotonic_ns(SystemClock().Now().ns);
    auto& request = *message.mutable_event()->mutable_memory_request();
    request.set_id(5);
    request.set_bytes(1 << 20);
    request.set_deadline_ms(2000);
    request.set_asker("oomd\n");
    return message;
  }

  void Fill(guest::v1::Report& report) {
    report.set_monotonic_ns(SystemClock().Now().ns);
    report.set_level(guest::v1::LEVEL_ARMED);
    report.mutable_meminfo()->set_total_bytes(1 << 30);
    report.mutable_meminfo()->set_free_bytes(1 << 28);
    report.mutable_meminfo()->set_available_bytes(1 << 29);
  }

  std::atomic<bool> over_ = false;
  std::mutex mutex_;
  std::vector<std::string> answers_;
  std::unique_ptr<grpc::Server> server_;
};

class Notes final : public SessionObserver {
 public:
  void OnIdentity(const AgentIdentity& identity) override { Note("identity " + identity.boot_id); }
  void OnReport(const Sampled<policy::GuestReading>&, bool) override { Note("report"); }
  void OnRejected(const absl::Status& why) override { Note("rejected " + MessageOf(why)); }
  void OnEvent(const GuestEvent& event) override {
    Note(StrCat("event ", static_cast<int>(event.kind), " ", event.amount));
  }
  void OnVerdict(const policy::OomVerdict& verdict) override { Note(policy::Explain(verdict, "web")); }
  void OnMemoryRequest(const policy::MemoryRequest& request, const std::string& asker) override {
    Note(StrCat("request ", request.id, " of ", request.bytes, " by ", asker));
  }
  void OnBlocks(const observe::BlockReceipt& receipt) override {
    std::string note = StrCat("blocks ", receipt.id, ": ", MessageOf(receipt.status));
    for (const observe::BlockSpan& span : receipt.spans)
      note += StrCat(" [", span.range.address >> 20, " ", span.range.bytes >> 20,
                     span.movable ? " movable]" : "]");
    for (const observe::BlockRefusal& refused : receipt.refused)
      note += StrCat(" (", refused.address >> 20, ": ", refused.error, " ", refused.reason, ")");
    Note(note);
  }
  void OnSession(SessionState state, const absl::Status& why) override {
    Note(state == SessionState::kFailed ? "failed: " + MessageOf(why) : "connected");
  }

  [[nodiscard]] bool Wait(const std::string& text, int times = 1) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return Count(text) >= times; });
  }
  [[nodiscard]] int CountOf(const std::string& text) {
    const std::lock_guard lock(mutex_);
    return Count(text);
  }

 private:
  void Note(const std::string& note) {
    {
      const std::lock_guard lock(mutex_);
      notes_.push_back(note);
    }
    changed_.notify_all();
  }
  int Count(const std::string& text) const {
    int count = 0;
    for (const std::string& note : notes_) count += note.find(text) != std::string::npos ? 1 : 0;
    return count;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> notes_;
};

class SessionTest : public ::testing::Test {
 protected:
  SessionTest()
      : path_(StrCat(std::filesystem::temp_directory_path().string(), "/ballast-session-", ::getpid())),
        agent_(path_),
        work_(io_.get_executor()),
        thread_([this] { io_.run(); }) {
    config_.name = "web";
    config_.agent = UnixAddress{path_};
  }
  ~SessionTest() override {
    session_.reset();
    work_.reset();
    thread_.join();
  }
  void Start() {
    session_.emplace(io_, calls_, config_, clock_, notes_);
    session_->Start();
  }

  std::string path_;
  ScriptedAgent agent_;
  SystemClock clock_;
  CallQueue calls_;
  Notes notes_;
  SessionConfig config_;
  boost::asio::io_context io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::thread thread_;
  std::optional<GuestSession> session_;
};

TEST_F(SessionTest, IsIntroducedAndThenHearsReports) {
  Start();
  EXPECT_TRUE(notes_.Wait("identity boot-1"));
  EXPECT_TRUE(notes_.Wait("report", 3));
  EXPECT_EQ(notes_.CountOf("rejected"), 0);
}

TEST_F(SessionTest, EndsAnAgentThatFallsSilentAndTriesAgain) {
  config_.silence_limit = Milliseconds(400);
  agent_.talkative = false;
  Start();
  EXPECT_TRUE(notes_.Wait("failed: nothing was heard for"));
  EXPECT_TRUE(notes_.Wait("identity", 2));
}

TEST_F(SessionTest, SilenceOfAStoppedGuestIsNoFailure) {
  config_.silence_limit = Milliseconds(400);
  Start();
  ASSERT_TRUE(notes_.Wait("report"));
  session_->Hold();
  agent_.talkative = false;
  std::this_thread::sleep_for(std::chrono::milliseconds(1000));
  EXPECT_EQ(notes_.CountOf("failed"), 0);
  session_->Release();
  EXPECT_TRUE(notes_.Wait("failed: nothing was heard for")) << "it runs again and should have spoken";
}

TEST_F(SessionTest, NothingIsDialledBeforeTheGuestIsKnownToRun) {
  config_.held_at_start = true;
  Start();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_EQ(agent_.watches, 0);
  session_->Release();
  EXPECT_TRUE(notes_.Wait("report"));
}

TEST_F(SessionTest, AResetGuestIsLeftAloneForTheGraceAndThenMetAnew) {
  config_.reset_grace = Milliseconds(300);
  Start();
  ASSERT_TRUE(notes_.Wait("report"));
  session_->Renew();
  EXPECT_TRUE(notes_.Wait("failed: the guest was reset"));
  EXPECT_TRUE(notes_.Wait("identity", 2));
}

TEST_F(SessionTest, AStopDuringTheGraceKeepsTheLinkHeld) {
  config_.reset_grace = Milliseconds(100);
  config_.silence_limit = Seconds(30);
  Start();
  ASSERT_TRUE(notes_.Wait("report"));
  session_->Renew();
  session_->Hold();
  std::this_thread::sleep_for(std::chrono::milliseconds(600));
  EXPECT_EQ(notes_.CountOf("failed"), 0);
  EXPECT_EQ(agent_.watches, 1);
}

TEST_F(SessionTest, AnAgentThatRestartsWhileItIsIntroducedIsAskedAgain) {
  agent_.generation_in_hello = 8;
  Start();
  EXPECT_TRUE(notes_.Wait("failed: the agent restarted while it was being introduced"));
  agent_.generation_in_hello = 7;
  EXPECT_TRUE(notes_.Wait("report"));
}

TEST_F(SessionTest, EachVerdictIsToldOnceOverAllConnections) {
  agent_.verdicts = 2;
  agent_.talkative = false;
  config_.silence_limit = Milliseconds(200);
  Start();
  ASSERT_TRUE(notes_.Wait("OOM kill: '?[31mdb' (pid 2) was killed (scope host)"));
  EXPECT_EQ(agent_.known_verdict, 0u);
  agent_.verdicts = 3;  // one more while nobody watched
  ASSERT_TRUE(notes_.Wait("(pid 3)"));
  EXPECT_EQ(notes_.CountOf("OOM kill"), 3);
  const int watches = agent_.watches;
  while (agent_.watches == watches) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(agent_.known_verdict, 3u);
  EXPECT_EQ(agent_.known_generation, 7u);
}

TEST_F(SessionTest, ARequestForMemoryIsToldAndAnswered) {
  agent_.requests = true;
  Start();
  ASSERT_TRUE(notes_.Wait("request 5 of 1048576 by oomd?"));
  session_->Answer({5, 1 << 19, Milliseconds(120), "the host has no more to spare", "balloon"});
  while (agent_.Answers().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  EXPECT_EQ(agent_.Answers()[0], "5: 524288 by balloon in 120 ms; the host has no more to spare");
  session_->Answer({5, 0, {}, "nothing", ""});
  while (agent_.Answers().size() < 2) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  EXPECT_EQ(agent_.Answers()[1], "5: 0 by  in 0 ms; nothing");
  // An agent that finds no such request is no reason to part.
  EXPECT_EQ(notes_.CountOf("failed"), 0);
}

TEST_F(SessionTest, AnAnswerThatHangsDoesNotHoldTheSessionUp) {
  agent_.requests = true;
  agent_.hangs = true;
  Start();
  ASSERT_TRUE(notes_.Wait("request 5"));
  session_->Answer({5, 1, {}, "", "balloon"});
  while (agent_.Answers().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  session_.reset();  // returns: the call is cancelled
  EXPECT_EQ(agent_.Answers().size(), 1u);
}

TEST_F(SessionTest, CanBeDestroyedAtAnyMoment) {
  for (int i = 0; i < 30; ++i) {
    Start();
    if (i % 3 == 1) session_->Renew();
    std::this_thread::sleep_for(std::chrono::milliseconds(i));
    session_.reset();
  }
}

TEST_F(SessionTest, SaysOnceThatNobodyIsThere) {
  config_.agent = UnixAddress{"/nowhere/agent.sock"};
  config_.first_backoff = Milliseconds(5);
  Start();
  ASSERT_TRUE(notes_.Wait("failed: /nowhere/agent.sock"));
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_EQ(notes_.CountOf("failed"), 1);
}

TEST_F(SessionTest, OrdersAboutMemoryBlocksAreCarriedOut) {
  Start();
  ASSERT_TRUE(notes_.Wait("report"));
  session_->Order({.id = 1, .action = observe::BlockAction::kList});
  ASSERT_TRUE(notes_.Wait("blocks 1:  [4096 256 movable]"));
  session_->Order(
      {.id = 2, .action = observe::BlockAction::kOffline, .ranges = {{int64_t{4096} << 20, 1 << 28}}});
  EXPECT_TRUE(notes_.Wait("blocks 2:  (4224: 16 it has pages that cannot move?)"));
  session_->Order({.id = 3, .action = observe::BlockAction::kOffline});
  EXPECT_TRUE(notes_.Wait("blocks 3: ranges: one is needed"));
}

TEST_F(SessionTest, AnOrderWithoutALinkIsAnsweredAtOnce) {
  config_.held_at_start = true;
  Start();
  session_->Order({.id = 1, .action = observe::BlockAction::kList});
  EXPECT_TRUE(notes_.Wait("blocks 1: the guest does not run"));
}

TEST_F(SessionTest, AnOrderThatIsCalledOffEndsAndAnotherDoesNot) {
  agent_.hangs = true;
  Start();
  ASSERT_TRUE(notes_.Wait("report"));
  for (const uint64_t id : {7, 8})
    session_->Order({.id = id, .action = observe::BlockAction::kOffline, .ranges = {{0, 1 << 28}}});
  session_->CallOff(8);
  EXPECT_TRUE(notes_.Wait("blocks 8: the link to the agent broke, or it was called off"));
  EXPECT_EQ(notes_.CountOf("blocks 7: "), 0);
}

TEST_F(SessionTest, AnOrderThatIsUnderWayIsAnsweredWhenTheLinkBreaks) {
  agent_.hangs = true;
  Start();
  ASSERT_TRUE(notes_.Wait("report"));
  session_->Order({.id = 7, .action = observe::BlockAction::kOffline, .ranges = {{0, 1 << 28}}});
  session_.reset();
  EXPECT_EQ(notes_.CountOf("blocks 7: "), 1);
}

}  // namespace
}  // namespace ballast::session
