#include "tests/lab/qmp_client.h"

#include "absl/time/clock.h"
#include "common/base/text.h"

namespace ballast::lab {

namespace json = boost::json;

absl::StatusOr<std::unique_ptr<QmpClient>> QmpClient::Connect(const std::string& path,
                                                              absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  absl::StatusOr<Stream> stream = Stream::Connect(UnixAddress{path}, deadline);
  while (!stream.ok() && absl::Now() < deadline) {  // QEMU may not have bound it yet
    absl::SleepFor(absl::Milliseconds(5));
    stream = Stream::Connect(UnixAddress{path}, deadline);
  }
  if (!stream.ok()) return stream.status();
  std::unique_ptr<QmpClient> client(new QmpClient(std::move(*stream)));
  if (const auto greeting = client->ReadObject(deadline); !greeting.ok()) return greeting.status();
  if (const auto ready = client->Execute("qmp_capabilities"); !ready.ok()) return ready.status();
  return client;
}

absl::StatusOr<json::object> QmpClient::ReadObject(absl::Time deadline) {
  absl::StatusOr<std::string> line = stream_.ReadLine(deadline);
  if (!line.ok()) return line.status();
  boost::system::error_code error;
  json::value value = json::parse(*line, error);
  if (error || !value.is_object()) return absl::DataLossError(StrCat("QMP sent '", *line, "'"));
  return std::move(value.as_object());
}

absl::StatusOr<json::value> QmpClient::Execute(std::string_view command, const json::object& arguments,
                                               absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  const json::object request{{"execute", json::string(command.data(), command.size())},
                             {"arguments", arguments}};
  if (absl::Status sent = stream_.Write(json::serialize(request) + "\n", deadline); !sent.ok()) return sent;
  while (true) {
    absl::StatusOr<json::object> answer = ReadObject(deadline);
    if (!answer.ok()) return WithContext(command, answer.status());
    if (const json::value* value = answer->if_contains("return")) return *value;
    if (const json::value* error = answer->if_contains("error")) {
      return absl::FailedPreconditionError(StrCat(command, ": ", json::serialize(*error)));
    }
    if (answer->contains("event")) events_.push_back(std::move(*answer));
  }
}

}  // namespace ballast::lab
