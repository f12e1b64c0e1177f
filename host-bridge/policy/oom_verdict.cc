#include "host-bridge/policy/oom_verdict.h"

#include "common/base/size_text.h"
#include "host-bridge/policy/arithmetic.h"

namespace ballast::policy {
namespace {

std::string Victim(const OomVerdict& verdict) {
  if (verdict.kills > 1 || (verdict.pid == 0 && verdict.comm.empty())) {
    return std::to_string(verdict.kills) + " process(es), nobody knows which,";
  }
  std::string text = "'" + verdict.comm + "' (pid " + std::to_string(verdict.pid);
  const int64_t held = Add(Add(verdict.anon_bytes, verdict.file_bytes), verdict.shmem_bytes);
  if (held > 0) text += ", " + FormatSize(held);
  text += ")";
  if (!verdict.cgroup.empty()) text += " of " + verdict.cgroup;
  return text;
}

std::string Circumstances(const OomVerdict& verdict) {
  std::string text = std::string("scope ") + NameOf(verdict.scope);
  if (!verdict.limit_cgroup.empty()) text += ", limit of " + verdict.limit_cgroup;
  if (verdict.kernel_zones_short) text += ", the kernel's zones were short";
  if (verdict.available_bytes) text += ", " + FormatSize(*verdict.available_bytes) + " available";
  if (verdict.balloon_bytes) text += ", " + FormatSize(*verdict.balloon_bytes) + " in the balloon";
  if (!verdict.asker_comm.empty()) text += ", asked for by '" + verdict.asker_comm + "'";
  return text;
}

}  // namespace

const char* NameOf(OomScope scope) {
  switch (scope) {
    case OomScope::kUnknown:
      return "unknown";
    case OomScope::kGuest:
      return "guest";
    case OomScope::kCgroup:
      return "cgroup";
    case OomScope::kHost:
      return "host";
  }
  return "unknown";
}

std::string Explain(const OomVerdict& verdict, const std::string& guest_name) {
  std::string text = guest_name + ": OOM kill";
  if (verdict.late) text += " while nobody watched";
  text += ": " + Victim(verdict) + " " + (verdict.kills > 1 ? "were" : "was") + " killed (" +
          Circumstances(verdict) + ")";
  return verdict.advice.empty() ? text : text + ": " + verdict.advice;
}

}  // namespace ballast::policy
