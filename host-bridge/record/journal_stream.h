// A journal file as the decisions in it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "common/journal/journal_reader.h"
#include "host-bridge/record/entry_codec.h"
#include "host-bridge/record/header_codec.h"

namespace ballast::record {

class JournalStream {
 public:
  enum class Step {
    kHeader,  // header() holds for the entries that follow
    kEntry,   // entry() is the next one
    kGap,     // lost_entries() are missing here
    kDamage,  // damage() says what could not be read; some entries are missing here
    kEnd,
  };

  // Errors as JournalReader::Open.
  [[nodiscard]] static absl::StatusOr<JournalStream> Open(const std::string& path);

  Step Next();

  [[nodiscard]] const JournalHeader& header() const { return header_; }
  [[nodiscard]] const RecordedEntry& entry() const { return entry_; }
  [[nodiscard]] uint64_t lost_entries() const { return lost_entries_; }
  [[nodiscard]] const std::string& damage() const { return damage_; }
  // Entries handed out so far; entry() has this number, counted from 1.
  [[nodiscard]] int64_t entries() const { return entries_; }
  // At the end: "FILE: cut at byte N, after M entries", where the file ends within a block.
  [[nodiscard]] std::optional<std::string> cut() const;

 private:
  explicit JournalStream(std::unique_ptr<journal::JournalReader> reader) : reader_(std::move(reader)) {}
  [[nodiscard]] absl::StatusOr<Step> Take(const journal::v1::Record& record);

  std::unique_ptr<journal::JournalReader> reader_;
  EntryDecoder decoder_;
  JournalHeader header_;
  RecordedEntry entry_;
  uint64_t lost_entries_ = 0;
  std::string damage_;
  int64_t entries_ = 0;
};

}  // namespace ballast::record
