#include "host-bridge/record/journal_stream.h"

#include <utility>

#include "common/base/text.h"

namespace ballast::record {

absl::StatusOr<JournalStream> JournalStream::Open(const std::string& path) {
  auto reader = journal::JournalReader::Open(path);
  if (!reader.ok()) return reader.status();
  return JournalStream(*std::move(reader));
}

absl::StatusOr<JournalStream::Step> JournalStream::Take(const journal::v1::Record& record) {
  switch (record.kind_case()) {
    case journal::v1::Record::kHeader: {
      auto header = DecodeHeader(record.header());
      if (!header.ok()) return header.status();
      header_ = *std::move(header);
      return Step::kHeader;
    }
    case journal::v1::Record::kEntry: {
      if (absl::Status status = decoder_.Decode(record.entry(), entry_); !status.ok()) return status;
      ++entries_;
      return Step::kEntry;
    }
    case journal::v1::Record::kGap:
      lost_entries_ = record.gap().lost_entries();
      return Step::kGap;
    case journal::v1::Record::KIND_NOT_SET:
      break;
  }
  return Step::kEnd;  // of a kind that a later version has added: nothing to hand out
}

JournalStream::Step JournalStream::Next() {
  while (true) {
    const auto step = reader_->Next();
    if (step == journal::JournalReader::Step::kEnd) return Step::kEnd;
    if (step == journal::JournalReader::Step::kDamage) {
      decoder_.Forget();
      damage_ = reader_->damage();
      return Step::kDamage;
    }
    if (reader_->begins_frame()) decoder_.Forget();
    journal::v1::Record record;
    const std::string_view bytes = reader_->record();
    absl::StatusOr<Step> taken =
        absl::DataLossError("ballast.journal.v1.Record: the bytes are no such message");
    if (record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) taken = Take(record);
    if (!taken.ok()) {
      damage_ = StrCat(reader_->path(), ": byte ", reader_->block_offset(), ": ", MessageOf(taken.status()),
                       "; the rest of this frame is left out");
      reader_->SkipFrame();
      decoder_.Forget();
      return Step::kDamage;
    }
    if (*taken != Step::kEnd) return *taken;
  }
}

std::optional<std::string> JournalStream::cut() const {
  if (!reader_->cut_at()) return std::nullopt;
  return StrCat(reader_->path(), ": cut at byte ", *reader_->cut_at(), ", after ", entries_, " entries");
}

}  // namespace ballast::record
