// ./dev demo: the same growing workload in two real guests side by side, one left alone, one with Ballast.
// Exit code 0 only if the story happened: the first is OOM-killed, the second lives and its work is done.
#include <boost/json.hpp>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <thread>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "common/base/size_text.h"
#include "common/base/text.h"
#include "common/base/units.h"
#include "tests/lab/bridge_process.h"
#include "tests/lab/guest.h"

namespace ballast::lab {
namespace {

constexpr int64_t kGuestMiB = 1024;
constexpr int64_t kLeftMiB = 256;  // the balloon holds the other three quarters
constexpr int64_t kWorkMiB = 600;  // more than is left, less than the guest was given
constexpr int64_t kRateMiB = 200;  // a second
constexpr char kWork[] = "lab-guest hog --mib 600 --rate-mib-s 200 --hold-ms 1500";

// What one guest felt at one moment, by its own kernel's figures; read by a command that has nothing to do
// with Ballast, so that both guests are looked at in the same way.
struct Look {
  int64_t available_mib = -1;
  int64_t stall_ms = -1;
};

Look LookAt(Guest& guest) {
  Look look;
  const auto result = guest.Exec(
      "awk '/^MemAvailable/{print int($2/1024)}' /proc/meminfo; "
      "sed -n 's/^some.*total=//p' /proc/pressure/memory",
      absl::Seconds(2));
  long stall_us = 0;
  long available = 0;
  if (result.ok() && std::sscanf(result->output.c_str(), "%ld %ld", &available, &stall_us) == 2) {
    look = {available, stall_us / 1000};
  }
  return look;
}

std::string Number(int64_t value) { return value < 0 ? "?" : std::to_string(value); }

struct Side {
  Guest* guest = nullptr;
  std::optional<GuestCommand> work;
  std::optional<ExecResult> result;
  int64_t oom_kills = 0;
  [[nodiscard]] bool Done() const { return result && result->status == 0; }
};

std::string Fate(const Side& side) {
  if (side.Done()) return "its work is done";
  return side.result->status == 137 ? "its work was killed"
                                    : StrCat("its work failed with ", side.result->status);
}

void PrintHeader() {
  std::printf("\n          |------- without Ballast -------|--------- with Ballast ---------|\n");
  std::printf("  time    |");
  for (int side = 0; side < 2; ++side) std::printf(" %10s %8s %9s |", "available", "stalled", "balloon");
  std::printf(" what happens\n");
}

void PrintRow(double seconds, const std::array<Look, 2>& looks, const std::array<int64_t, 2>& balloons,
              const std::string& news) {
  std::printf("%6.1f s  |", seconds);
  for (size_t i = 0; i < 2; ++i) {
    std::printf(" %6s MiB %5s ms %5s MiB |", Number(looks[i].available_mib).c_str(),
                Number(looks[i].stall_ms).c_str(), Number(balloons[i]).c_str());
  }
  std::printf(" %s\n", news.c_str());
  std::fflush(stdout);
}

// The decisions and receipts the bridge has logged since `from`, without its time stamps.
std::vector<std::string> NewsSince(const BridgeProcess& bridge, size_t& from) {
  const std::string log = bridge.Log();
  const size_t end = log.rfind('\n');
  if (end == std::string::npos || end < from) return {};
  std::istringstream lines(log.substr(from, end - from));
  from = end + 1;
  std::vector<std::string> news;
  for (std::string line; std::getline(lines, line);) {
    const size_t at = line.find("managed: ");
    if (at != std::string::npos) news.push_back(line.substr(at));
  }
  return news;
}

int64_t BalloonMib(Guest& guest) {
  const auto actual = guest.BalloonActual();
  return actual.ok() ? kGuestMiB - *actual / kMiB : -1;
}

absl::Status Prepare(Side& side) {
  absl::Status status = side.guest->SetBalloon(kLeftMiB * kMiB);
  if (!status.ok()) return WithContext(side.guest->options().name, status);
  return absl::OkStatus();
}

// Runs the work on both sides to its end and prints what happens meanwhile.
absl::Status RunWork(std::array<Side, 2>& sides, const BridgeProcess& bridge) {
  size_t log_position = bridge.Log().size();
  PrintHeader();
  const absl::Time start = absl::Now();
  absl::Time next_row = start;
  for (Side& side : sides) {
    auto command = side.guest->ExecAsync(kWork);
    if (!command.ok()) return command.status();
    side.work = *std::move(command);
  }
  while (!sides[0].result || !sides[1].result) {
    if (absl::Now() - start > absl::Seconds(60))
      return absl::DeadlineExceededError("the work did not end in 60 s");
    std::array<Look, 2> looks;
    std::array<int64_t, 2> balloons{};
    std::vector<std::string> news = NewsSince(bridge, log_position);
    for (size_t i = 0; i < 2; ++i) {
      Side& side = sides[i];
      if (!side.result) {
        auto ended = side.work->Wait(absl::Milliseconds(60));
        if (ended.ok()) {
          side.result = *ended;
          news.push_back(StrCat(side.guest->options().name, ": ", Fate(side)));
        } else if (!absl::IsDeadlineExceeded(ended.status())) {
          return ended.status();
        }
      }
      looks[i] = LookAt(*side.guest);
      balloons[i] = BalloonMib(*side.guest);
    }
    if (news.empty() && absl::Now() < next_row) continue;
    next_row = absl::Now() + absl::Milliseconds(250);
    PrintRow(absl::ToDoubleSeconds(absl::Now() - start), looks, balloons, news.empty() ? "" : news.front());
    for (size_t i = 1; i < news.size(); ++i) std::printf("%74s| %s\n", "", news[i].c_str());
  }
  for (Side& side : sides) {
    const auto kills = side.guest->OomKills();
    if (!kills.ok()) return kills.status();
    side.oom_kills = *kills;
  }
  return absl::OkStatus();
}

boost::json::object Summary(const Side& side) {
  return {{"oom_kills", side.oom_kills}, {"work_done", side.Done()}};
}

absl::Status WriteResult(const std::array<Side, 2>& sides, const std::vector<CommandLine>& commands,
                         const std::string& path) {
  boost::json::object result{{"unmanaged", Summary(sides[0])}, {"managed", Summary(sides[1])}};
  if (!commands.empty() && commands.front().after_onset_ms) {
    result["pressure_to_command_ms"] = *commands.front().after_onset_ms;
  } else {
    result["pressure_to_command_ms"] = nullptr;
  }
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream file(path);
  file << boost::json::serialize(result) << "\n";
  return file ? absl::OkStatus() : absl::InternalError(StrCat(path, ": cannot be written"));
}

absl::StatusOr<bool> Tell(const std::string& result_path) {
  std::printf("Booting two guests with %ld MiB each...\n", kGuestMiB);
  std::array<Side, 2> sides;
  std::array<absl::StatusOr<std::unique_ptr<Guest>>, 2> guests;
  {
    std::array<std::thread, 2> boots;
    for (size_t i = 0; i < 2; ++i) {
      boots[i] = std::thread([i, &guests] {
        GuestOptions options;
        options.name = i == 0 ? "alone" : "managed";
        options.memory_mib = kGuestMiB;
        options.agent = i == 1;
        guests[i] = Guest::Boot(options);
      });
    }
    for (std::thread& boot : boots) boot.join();
  }
  for (size_t i = 0; i < 2; ++i) {
    if (!guests[i].ok()) return guests[i].status();
    sides[i].guest = guests[i]->get();
    std::printf("  %-8s up in %.1f s\n", sides[i].guest->options().name.c_str(),
                absl::ToDoubleSeconds(sides[i].guest->boot_time()));
  }
  std::printf("Inflating both balloons until %ld MiB are left...\n", kLeftMiB);
  for (Side& side : sides) {
    if (auto status = Prepare(side); !status.ok()) return status;
  }
  BridgeOptions options;
  options.directory = sides[1].guest->directory();
  auto bridge = BridgeProcess::Start({sides[1].guest}, options);
  if (!bridge.ok()) return bridge.status();
  if (auto status = bridge->WaitUntilConnected(absl::Seconds(20)); !status.ok()) return status;
  std::printf("ballast-bridge manages 'managed'. Work that grows to %ld MiB at %ld MiB/s starts in both.\n",
              kWorkMiB, kRateMiB);
  if (auto status = RunWork(sides, *bridge); !status.ok()) return status;

  const std::vector<CommandLine> commands = bridge->Commands();
  std::printf("\nwithout Ballast: %ld OOM kill(s), %s\nwith Ballast:    %ld OOM kill(s), %s",
              sides[0].oom_kills, Fate(sides[0]).c_str(), sides[1].oom_kills, Fate(sides[1]).c_str());
  if (!commands.empty() && commands.front().after_onset_ms) {
    std::printf("; the command was written %.2f ms after the pressure began",
                *commands.front().after_onset_ms);
  }
  std::printf("\n");
  if (auto status = WriteResult(sides, commands, result_path); !status.ok()) return status;
  std::printf("figures: %s\n", result_path.c_str());
  return sides[0].oom_kills > 0 && !sides[0].Done() && sides[1].oom_kills == 0 && sides[1].Done();
}

int Main(int argc, char** argv) {
  // Ctrl-C: leave at once; the kernel ends the children, the next run removes the directory.
  std::signal(SIGINT, [](int) { std::_Exit(130); });
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s RESULT.json\n", argv[0]);
    return 2;
  }
  const auto happened = Tell(argv[1]);
  if (!happened.ok()) {
    std::fprintf(stderr, "the demo could not run: %s\n", MessageOf(happened.status()).c_str());
    return 1;
  }
  if (!*happened) {
    std::fprintf(stderr,
                 "the story did not happen: the guest alone must be OOM-killed, the managed one must live\n");
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace ballast::lab

int main(int argc, char** argv) { return ballast::lab::Main(argc, argv); }
