#include "host-bridge/record/entry_codec.h"

#include <utility>

#include "common/base/text.h"
#include "host-bridge/record/field_codec.h"

namespace ballast::record {
namespace {

namespace wire = journal::v1;

// Field numbers of wire::Entry that EncodeField needs to know.
constexpr int kHost = wire::Entry::kHostFieldNumber;
constexpr int kHostHistory = wire::Entry::kHostHistoryFieldNumber;
constexpr int kHostHistoryAfter = wire::Entry::kHostHistoryAfterFieldNumber;

void EncodeFacts(const policy::Snapshot& snapshot, policy::Snapshot& last, MonotonicTime now,
                 wire::Entry& out) {
  EncodeField(kHost, snapshot.host, last.host, now, out);
  EncodeField(kHostHistory, snapshot.host_history, last.host_history, now, out);
  if (snapshot.reclaim_holds != last.reclaim_holds) {
    wire::ReclaimHolds& holds = *out.mutable_reclaim_holds();
    for (const policy::ReclaimHold& hold : snapshot.reclaim_holds) {
      EncodeFields(hold, policy::ReclaimHold{}, now, *holds.add_holds());
    }
  }
  const size_t count = snapshot.guests.size();
  if (count != last.guests.size()) out.set_guest_count(static_cast<uint32_t>(count));
  last.guests.resize(count);
  for (size_t i = 0; i < count; ++i) {
    if (snapshot.guests[i] == last.guests[i]) continue;
    wire::Guest& guest = *out.add_guests();
    guest.set_index(static_cast<uint32_t>(i));
    EncodeFields(snapshot.guests[i], last.guests[i], now, *guest.mutable_facts());
  }
}

void EncodeOutcome(const RecordedEntry& entry, wire::Entry& out) {
  for (const policy::Decision& decision : entry.outcome.decisions) {
    EncodeFields(decision, policy::Decision{}, entry.now, *out.add_decisions());
  }
  for (const policy::PlugDecision& plug : entry.outcome.plugs) {
    EncodeFields(plug, policy::PlugDecision{}, entry.now, *out.add_plugs());
  }
  for (const policy::Hold& hold : entry.outcome.holds) {
    wire::Hold& to = *out.add_holds();
    to.set_guest(static_cast<uint32_t>(hold.guest));
    to.set_why(static_cast<wire::Hold::Why>(static_cast<int>(hold.why) + 1));
  }
  for (const policy::Answer& answer : entry.outcome.answers) {
    EncodeFields(answer, policy::Answer{}, entry.now, *out.add_answers());
  }
  for (size_t i = 0; i < entry.outcome.histories.size(); ++i) {
    const policy::GuestHistory& before = entry.snapshot.guests[i].history;
    if (entry.outcome.histories[i] == before) continue;
    wire::HistoryAfter& after = *out.add_histories();
    after.set_index(static_cast<uint32_t>(i));
    EncodeFields(entry.outcome.histories[i], before, entry.now, *after.mutable_history());
  }
  EncodeField(kHostHistoryAfter, entry.outcome.host_history, entry.snapshot.host_history, entry.now, out);
}

// The facts as the next decision will find them, as far as this one left something behind.
void Carry(RecordedEntry entry, policy::Snapshot& last) {
  last = std::move(entry.snapshot);
  last.host_history = entry.outcome.host_history;
  for (size_t i = 0; i < last.guests.size(); ++i) last.guests[i].history = entry.outcome.histories[i];
}

absl::Status Wrong(std::string_view field, uint64_t value, uint64_t most) {
  return absl::DataLossError(
      StrCat("ballast.journal.v1.", field, ": ", value, " is out of range, allowed 0..", most));
}

absl::Status DecodeFacts(const wire::Entry& entry, MonotonicTime now, policy::Snapshot& snapshot) {
  if (IsAbsent(kHost, entry)) snapshot.host.reset();
  absl::Status status = DecodeField(kHost, entry, now, snapshot.host);
  if (status.ok()) status = DecodeField(kHostHistory, entry, now, snapshot.host_history);
  if (entry.has_reclaim_holds()) {
    snapshot.reclaim_holds.clear();
    for (const wire::ReclaimHold& hold : entry.reclaim_holds().holds()) {
      policy::ReclaimHold& to = snapshot.reclaim_holds.emplace_back();
      if (status.ok()) status = DecodeFields(hold, now, to);
    }
  }
  if (!status.ok()) return status;
  if (entry.has_guest_count()) {
    if (entry.guest_count() > kMaxGuests) return Wrong("Entry.guest_count", entry.guest_count(), kMaxGuests);
    snapshot.guests.resize(entry.guest_count());
  }
  for (const wire::Guest& guest : entry.guests()) {
    if (guest.index() >= snapshot.guests.size()) {
      return Wrong("Guest.index, one below the number of guests,", guest.index(), snapshot.guests.size());
    }
    status = DecodeFields(guest.facts(), now, snapshot.guests[guest.index()]);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status DecodeHolds(const wire::Entry& entry, size_t guests, policy::Outcome& outcome) {
  for (const wire::Hold& hold : entry.holds()) {
    if (hold.guest() >= guests)
      return Wrong("Hold.guest, one below the number of guests,", hold.guest(), guests);
    constexpr int kMost = kLargest<policy::Hold::Why>;
    const int why = static_cast<int>(hold.why()) - 1;
    if (why < 0 || why > kMost) return Wrong("Hold.why", static_cast<uint64_t>(hold.why()), kMost + 1);
    outcome.holds.push_back({hold.guest(), static_cast<policy::Hold::Why>(why)});
  }
  return absl::OkStatus();
}

absl::Status DecodeOutcome(const wire::Entry& entry, RecordedEntry& out) {
  const size_t guests = out.snapshot.guests.size();
  for (const wire::Decision& decision : entry.decisions()) {
    policy::Decision& to = out.outcome.decisions.emplace_back();
    if (absl::Status status = DecodeFields(decision, out.now, to); !status.ok()) return status;
    if (to.guest >= guests) return Wrong("Decision.guest, one below the number of guests,", to.guest, guests);
  }
  for (const wire::PlugDecision& plug : entry.plugs()) {
    policy::PlugDecision& to = out.outcome.plugs.emplace_back();
    if (absl::Status status = DecodeFields(plug, out.now, to); !status.ok()) return status;
    if (to.guest >= guests)
      return Wrong("PlugDecision.guest, one below the number of guests,", to.guest, guests);
  }
  if (absl::Status status = DecodeHolds(entry, guests, out.outcome); !status.ok()) return status;
  for (const wire::Answer& answer : entry.answers()) {
    policy::Answer& to = out.outcome.answers.emplace_back();
    if (absl::Status status = DecodeFields(answer, out.now, to); !status.ok()) return status;
    if (to.guest >= guests) return Wrong("Answer.guest, one below the number of guests,", to.guest, guests);
  }
  for (const policy::GuestFacts& facts : out.snapshot.guests) out.outcome.histories.push_back(facts.history);
  for (const wire::HistoryAfter& after : entry.histories()) {
    if (after.index() >= guests)
      return Wrong("HistoryAfter.index, one below the number of guests,", after.index(), guests);
    absl::Status status = DecodeFields(after.history(), out.now, out.outcome.histories[after.index()]);
    if (!status.ok()) return status;
  }
  out.outcome.host_history = out.snapshot.host_history;
  return DecodeField(kHostHistoryAfter, entry, out.now, out.outcome.host_history);
}

absl::Status DecodeVerdicts(const wire::Entry& entry, RecordedEntry& out) {
  const size_t guests = out.snapshot.guests.size();
  for (const wire::Verdict& verdict : entry.verdicts()) {
    policy::OomVerdict& to = out.verdicts.emplace_back();
    if (absl::Status status = DecodeFields(verdict, out.now, to); !status.ok()) return status;
    if (to.guest >= guests) return Wrong("Verdict.guest, one below the number of guests,", to.guest, guests);
  }
  return absl::OkStatus();
}

}  // namespace

wire::Entry EntryEncoder::Encode(RecordedEntry entry, bool full) {
  wire::Entry out;
  if (full || !started_) {
    last_ = {};
    out.set_full(true);
  }
  started_ = true;
  out.set_now_ns(entry.now.ns);
  EncodeFacts(entry.snapshot, last_, entry.now, out);
  EncodeOutcome(entry, out);
  for (const policy::OomVerdict& verdict : entry.verdicts) {
    EncodeFields(verdict, policy::OomVerdict{}, entry.now, *out.add_verdicts());
  }
  Carry(std::move(entry), last_);
  return out;
}

absl::Status EntryDecoder::Decode(const wire::Entry& entry, RecordedEntry& out) {
  if (!entry.full() && !started_) {
    return absl::DataLossError(
        "ballast.journal.v1.Entry.full: false; the first entry of a frame must be full");
  }
  started_ = false;
  out = {};
  out.now = {entry.now_ns()};
  if (!entry.full()) out.snapshot = std::move(last_);
  absl::Status status = DecodeFacts(entry, out.now, out.snapshot);
  if (status.ok()) status = DecodeOutcome(entry, out);
  if (status.ok()) status = DecodeVerdicts(entry, out);
  if (!status.ok()) return status;
  Carry(out, last_);
  started_ = true;
  return status;
}

}  // namespace ballast::record
