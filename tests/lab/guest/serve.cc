#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

#include <cstdio>
#include <cstring>

#include "tests/lab/guest/lab_guest.h"

namespace ballast::lab::guest {
namespace {

void SetOomScoreAdj(const char* value) {
  const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  if (write(fd, value, std::strlen(value)) < 0) std::perror("oom_score_adj");
  close(fd);
}

std::string ReadLine(int fd) {
  std::string line;
  char c = 0;
  while (read(fd, &c, 1) == 1 && c != '\n') line.push_back(c);
  return line;
}

pid_t StartShell(int connection, const std::string& line) {
  const pid_t child = fork();
  if (child != 0) return child;
  setsid();  // its own process group: it is killed together with whatever it started
  SetOomScoreAdj("0");
  dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
  dup2(connection, STDOUT_FILENO);
  dup2(connection, STDERR_FILENO);
  execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
  _exit(127);
}

// Waits until the child ended or the host hung up, in which case the child is killed.
int WaitForEnd(int connection, pid_t child) {
  const int child_fd = static_cast<int>(syscall(SYS_pidfd_open, child, 0));
  pollfd watched[2] = {{.fd = child_fd, .events = POLLIN, .revents = 0},
                       {.fd = connection, .events = POLLIN | POLLRDHUP, .revents = 0}};
  while (poll(watched, 2, -1) < 0 && errno == EINTR) {
  }
  if (watched[0].revents == 0) kill(-child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void HandleConnection(int connection) {
  const std::string line = ReadLine(connection);
  if (line.empty()) return;
  const pid_t child = StartShell(connection, line);
  const int status = child < 0 ? 126 : WaitForEnd(connection, child);
  const std::string trailer = "\x1e" + std::to_string(status) + "\n";
  if (write(connection, trailer.data(), trailer.size()) < 0) return;  // the host is gone: nobody to tell
  char ignored = 0;
  while (read(connection, &ignored, 1) > 0) {  // the host closes first, so that no byte of ours is lost
  }
}

}  // namespace

int Serve(const Options& options) {
  SetOomScoreAdj("-1000");
  signal(SIGCHLD, SIG_IGN);  // connection handlers are not waited for
  const int listener = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_vm address{};
  address.svm_family = AF_VSOCK;
  address.svm_cid = VMADDR_CID_ANY;
  address.svm_port = static_cast<unsigned>(options.Number("port", 5000));
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
      listen(listener, 64) != 0) {
    std::perror("lab-guest: vsock");
    return 1;
  }
  std::printf("lab: ready\n");  // the host waits for this line on the console
  while (true) {
    const int connection = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) continue;
    const pid_t handler = fork();
    if (handler == 0) {
      signal(SIGCHLD, SIG_DFL);
      HandleConnection(connection);
      _exit(0);
    }
    close(connection);
  }
}

}  // namespace ballast::lab::guest
