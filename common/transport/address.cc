#include "common/transport/address.h"

#include <charconv>
#include <optional>

#include "absl/status/status.h"
#include "common/base/text.h"

namespace ballast {
namespace {

constexpr size_t kMaxSocketPath = 107;       // sizeof(sockaddr_un::sun_path) - 1
constexpr uint32_t kAnyNumber = 0xffffffff;  // VMADDR_CID_ANY and VMADDR_PORT_ANY

std::optional<uint32_t> ParseNumber(std::string_view text) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

absl::Status Wrong(std::string_view text, std::string_view what) {
  return absl::InvalidArgumentError(
      StrCat("address '", text, "': ", what, "; write vsock:CID:PORT, unix:PATH:PORT or unix:PATH"));
}

std::optional<uint32_t> ParsePort(std::string_view text) {
  const auto port = ParseNumber(text);
  if (!port || *port == 0 || *port == kAnyNumber) return std::nullopt;
  return port;
}

absl::StatusOr<Address> ParseVsock(std::string_view text, std::string_view rest) {
  const size_t colon = rest.find(':');
  if (colon == std::string_view::npos) return Wrong(text, "the port is missing");
  const auto cid = ParseNumber(rest.substr(0, colon));
  if (!cid || *cid < 2 || *cid == kAnyNumber)
    return Wrong(text, "the CID must be a number from 2 to 4294967294");
  const auto port = ParsePort(rest.substr(colon + 1));
  if (!port) return Wrong(text, "the port must be a number from 1 to 4294967294");
  return VsockAddress{*cid, *port};
}

absl::StatusOr<Address> ParseUnix(std::string_view text, std::string_view rest) {
  std::string_view path = rest;
  std::optional<uint32_t> port;
  const size_t colon = rest.rfind(':');
  if (colon != std::string_view::npos && rest.find('/', colon) == std::string_view::npos) {
    path = rest.substr(0, colon);
    port = ParsePort(rest.substr(colon + 1));
    if (!port) return Wrong(text, "the port must be a number from 1 to 4294967294");
  }
  if (!path.starts_with('/')) return Wrong(text, "the path must be absolute");
  if (path.size() > kMaxSocketPath)
    return Wrong(text, StrCat("the path is longer than ", kMaxSocketPath, " bytes"));
  if (path.find('\0') != std::string_view::npos) return Wrong(text, "the path holds a NUL byte");
  if (port) return HybridAddress{std::string(path), *port};
  return UnixAddress{std::string(path)};
}

}  // namespace

absl::StatusOr<Address> ParseAddress(std::string_view text) {
  if (text.starts_with("vsock:")) return ParseVsock(text, text.substr(6));
  if (text.starts_with("unix:")) return ParseUnix(text, text.substr(5));
  return Wrong(text, "the kind is missing or unknown");
}

std::string FormatAddress(const Address& address) {
  if (const auto* vsock = std::get_if<VsockAddress>(&address)) {
    return StrCat("vsock:", vsock->cid, ":", vsock->port);
  }
  if (const auto* hybrid = std::get_if<HybridAddress>(&address)) {
    return StrCat("unix:", hybrid->path, ":", hybrid->port);
  }
  return StrCat("unix:", std::get<UnixAddress>(address).path);
}

}  // namespace ballast
