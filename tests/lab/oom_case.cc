#include "tests/lab/oom_case.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "common/base/text.h"

namespace ballast::lab {
namespace {

using guest::v1::OomVerdict;

constexpr const char* kCgroups = "cd /sys/fs/cgroup; echo +memory +cpuset >cgroup.subtree_control; ";

// A shell command that moves itself into the cgroup, then becomes the hog.
std::string InCgroup(const std::string& name, const std::string& setup, const std::string& hog) {
  return StrCat(kCgroups, "mkdir -p ", name, "; cd ", name, "; ", setup,
                "; echo 0 >cgroup.procs; echo $$; exec ", hog);
}

std::string NameOf(OomVerdict::Scope scope) {
  switch (scope) {
    case OomVerdict::SCOPE_GUEST:
      return "guest";
    case OomVerdict::SCOPE_CGROUP:
      return "cgroup";
    case OomVerdict::SCOPE_HOST:
      return "host";
    default:
      return "unknown";
  }
}

std::string NameOf(OomVerdict::Constraint constraint) {
  switch (constraint) {
    case OomVerdict::CONSTRAINT_NONE:
      return "none";
    case OomVerdict::CONSTRAINT_CPUSET:
      return "cpuset";
    case OomVerdict::CONSTRAINT_MEMORY_POLICY:
      return "policy";
    case OomVerdict::CONSTRAINT_MEMCG:
      return "memcg";
    default:
      return "unknown";
  }
}

}  // namespace

std::string NameOf(Shortage shortage) {
  switch (shortage) {
    case Shortage::kGlobal:
      return "global";
    case Shortage::kLimit:
      return "limit";
    case Shortage::kNodes:
      return "nodes";
    case Shortage::kThreads:
      return "threads";
    case Shortage::kTogether:
      return "together";
    case Shortage::kBehindBalloon:
      return "balloon";
  }
  return "";
}

int64_t KillsOf(Shortage shortage) { return shortage == Shortage::kTogether ? 3 : 1; }

std::string CommandFor(Shortage shortage, int64_t guest_mib) {
  // Incompressible and hot, so that swap on zram ends, too.
  const std::string hog = StrCat("lab-guest hog --random-percent 100 --mib ", 2 * guest_mib);
  constexpr const char* kLimit = "echo 24M >memory.max; echo 0 >memory.swap.max";
  switch (shortage) {
    case Shortage::kGlobal:
    case Shortage::kBehindBalloon:
      return StrCat("echo $$; exec ", hog);
    case Shortage::kLimit:
      return InCgroup("limit", kLimit, hog);
    case Shortage::kNodes:
      return InCgroup("nodes", "echo 1 >cpuset.mems; echo 0 >memory.swap.max", hog);
    case Shortage::kThreads:
      return StrCat("echo $$; exec ", hog, " --threads 3");
    case Shortage::kTogether:
      return StrCat(kCgroups, "mkdir -p group; cd group; ", kLimit, "; echo 1 >memory.oom.group; ",
                    "for i in 1 2; do sh -c 'echo 0 >cgroup.procs; echo $$; exec sleep 100' & done; ",
                    "sleep 0.2; echo 0 >cgroup.procs; echo $$; exec ", hog);
  }
  return "";
}

std::string Attribution(const OomVerdict& verdict) {
  if (verdict.source() == guest::v1::SOURCE_COUNTERS) {
    return StrCat(NameOf(verdict.source()), " ", NameOf(verdict.scope()), " ", verdict.kills());
  }
  return StrCat(NameOf(verdict.source()), " ", NameOf(verdict.scope()), " ", NameOf(verdict.constraint()),
                " ", verdict.cgroup(), " ", verdict.pid(), verdict.late() ? " late" : "");
}

std::string Expectation(Shortage shortage, guest::v1::Source source, const std::string& pid, bool chosen) {
  const std::string who = StrCat(" ", pid);
  switch (shortage) {
    case Shortage::kGlobal:
    case Shortage::kThreads:
      return StrCat(NameOf(source), " guest none /", who);
    case Shortage::kBehindBalloon:
      return StrCat(NameOf(source), " host none /", who);
    case Shortage::kLimit:
      return StrCat(NameOf(source), " cgroup memcg /limit", who);
    case Shortage::kNodes:
      return StrCat(NameOf(source), " cgroup cpuset /nodes", who);
    case Shortage::kTogether:
      return StrCat(NameOf(source), " cgroup memcg ",
                    chosen || source == guest::v1::SOURCE_BPF ? "/group" : "", who);
  }
  return "";
}

std::string NameOf(guest::v1::Source source) {
  switch (source) {
    case guest::v1::SOURCE_BPF:
      return "bpf";
    case guest::v1::SOURCE_KMSG:
      return "kmsg";
    case guest::v1::SOURCE_COUNTERS:
      return "counters";
    default:
      return "none";
  }
}

std::string ArgumentsFor(guest::v1::Source source) {
  if (source == guest::v1::SOURCE_BPF) return "";
  return source == guest::v1::SOURCE_KMSG ? "--no-bpf" : "--no-bpf --no-kmsg";
}

absl::Status RestartAgent(Guest& guest, const std::string& arguments) {
  const auto result =
      guest.Exec(StrCat("killall ballast-agent; while pidof ballast-agent >/dev/null; do usleep 20000; done; "
                        "setsid ballast-agent ",
                        arguments, " >>/run/ballast-agent.log 2>&1 </dev/null & "));
  return result.ok() ? absl::OkStatus() : result.status();
}

std::string TableOf(const std::vector<OomRow>& rows) {
  std::string table;
  for (const OomRow& row : rows) {
    absl::StrAppendFormat(&table, "%-44s %-18s %-44s %-44s %s\n", row.where, row.what, row.expected,
                          row.attributed, row.IsRight() ? "ok" : "WRONG");
  }
  const auto right = std::count_if(rows.begin(), rows.end(), [](const OomRow& row) { return row.IsRight(); });
  return table + StrCat(right, " of ", rows.size(), " attributed\n");
}

}  // namespace ballast::lab
