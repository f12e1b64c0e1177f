// The helper process's side: one order, one answer, nothing else. No thread, no allocation that lasts.
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/swap.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "common/os/unique_fd.h"
#include "guest-agent/act/helper_process.h"

namespace ballast::agent {
namespace {

constexpr size_t kMaxOrder = 4096;
constexpr size_t kMaxRead = 256;

int WriteText(const char* path, std::string_view text) {
  const UniqueFd fd(::open(path, O_WRONLY | O_CLOEXEC));
  if (!fd.IsOpen()) return errno;
  return ::write(fd.Get(), text.data(), text.size()) < 0 ? errno : 0;
}

int ReadText(const char* path, std::string& text) {
  const UniqueFd fd(::open(path, O_RDONLY | O_CLOEXEC));
  if (!fd.IsOpen()) return errno;
  std::array<char, kMaxRead> buffer;
  const ssize_t n = ::read(fd.Get(), buffer.data(), buffer.size());
  if (n < 0) return errno;
  text.assign(buffer.data(), static_cast<size_t>(n));
  return 0;
}

int64_t NumberOf(std::string_view text, int64_t otherwise) {
  int64_t number = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

int SwapOn(const char* path, std::string_view priority) {
  int flags = 0;
  if (!priority.empty()) {
    const auto wanted = std::clamp<int64_t>(NumberOf(priority, 0), 0, SWAP_FLAG_PRIO_MASK);
    flags = SWAP_FLAG_PREFER | static_cast<int>(wanted << SWAP_FLAG_PRIO_SHIFT);
  }
  return ::swapon(path, flags) != 0 ? errno : 0;
}

// The kernel's swap header, version 1: how many pages there are, none of them bad, and the signature at the
// end of the first page.
int MakeSwap(const char* path, std::string_view page_size) {
  constexpr std::string_view kSignature = "SWAPSPACE2";
  constexpr size_t kInfoAt = 1024;  // after room for a boot block
  const int64_t page = NumberOf(page_size, 4096);
  if (page < 4096 || page > 65536) return EINVAL;
  const UniqueFd fd(::open(path, O_RDWR | O_CLOEXEC | O_EXCL));
  if (!fd.IsOpen()) return errno;
  const off_t size = ::lseek(fd.Get(), 0, SEEK_END);
  if (size < 10 * page) return ENOSPC;
  std::vector<char> header(static_cast<size_t>(page), '\0');
  const std::array<uint32_t, 3> info{1, static_cast<uint32_t>(std::min<int64_t>(size / page - 1, UINT32_MAX)),
                                     0};
  std::memcpy(header.data() + kInfoAt, info.data(), sizeof info);
  std::copy(kSignature.begin(), kSignature.end(), header.end() - kSignature.size());
  if (::pwrite(fd.Get(), header.data(), header.size(), 0) != static_cast<ssize_t>(header.size()))
    return errno;
  return ::fsync(fd.Get()) != 0 ? errno : 0;
}

int CarryOut(char kind, const char* path, std::string_view text, std::string& answer) {
  switch (static_cast<OrderKind>(kind)) {
    case OrderKind::kWrite:
      return WriteText(path, text);
    case OrderKind::kRead:
      return ReadText(path, answer);
    case OrderKind::kSwapOff:
      return ::swapoff(path) != 0 ? errno : 0;
    case OrderKind::kSwapOn:
      return SwapOn(path, text);
    case OrderKind::kMakeSwap:
      return MakeSwap(path, text);
  }
  return ENOSYS;
}

// What the agent has and its helper must not: exemption from the OOM killer, and priority over the guest's
// work.
void BecomeOrdinary() {
  (void)WriteText("/proc/self/oom_score_adj", "0\n");
  (void)::setpriority(PRIO_PROCESS, 0, 0);
}

}  // namespace

int RunActHelper() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NAME, kActHelperName);
  BecomeOrdinary();
  std::array<char, kMaxOrder + 1> order;
  while (true) {
    const ssize_t n = ::recv(STDIN_FILENO, order.data(), kMaxOrder, 0);
    if (n < 2) return n < 0 ? 1 : 0;
    order[static_cast<size_t>(n)] = '\0';
    const std::string_view whole(order.data(), static_cast<size_t>(n));
    const size_t path_end = whole.find('\0');
    if (path_end == std::string_view::npos) return 1;
    std::string answer;
    const int error = CarryOut(whole[0], whole.data() + 1, whole.substr(path_end + 1), answer);
    const std::string reply = std::to_string(error) + ' ' + answer;
    if (::send(STDIN_FILENO, reply.data(), reply.size(), MSG_NOSIGNAL) < 0) return 1;
  }
}

}  // namespace ballast::agent
