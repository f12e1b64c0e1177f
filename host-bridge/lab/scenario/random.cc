#include "host-bridge/lab/scenario/random.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

namespace ballast::sim {
namespace {

constexpr double kShortest = 1e-3;              // seconds
constexpr double kLongest = 400.0 * 24 * 3600;  // seconds

// One step of splitmix64: spreads seeds that differ by one bit over all 64.
uint64_t SplitMix(uint64_t& state) {
  state += 0x9e3779b97f4a7c15;
  uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

double SecondsOf(Nanos time) { return static_cast<double>(time.count) * 1e-9; }

}  // namespace

Nanos BoundedTime(double seconds) {
  // The comparison is written so that a NaN becomes the shortest time.
  const double bounded = seconds > kShortest ? std::min(seconds, kLongest) : kShortest;
  return {static_cast<int64_t>(bounded * 1e9)};
}

Random::Random(uint64_t seed) {
  for (uint64_t& word : state_) word = SplitMix(seed);
}

Random Random::For(uint64_t seed, std::string_view name, uint64_t index) {
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (const char letter : name) hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3;
  uint64_t state = seed;
  uint64_t mixed = SplitMix(state) ^ hash;
  mixed = SplitMix(mixed) ^ index;
  return Random(SplitMix(mixed));
}

uint64_t Random::Bits() {
  const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

double Random::Uniform() { return static_cast<double>(Bits() >> 11) * 0x1.0p-53; }

bool Random::Chance(double probability) { return Uniform() < probability; }

// Box and Muller; the second number of the pair is dropped, so that the stream has no hidden state.
double Random::Normal() {
  const double radius = std::sqrt(-2 * std::log1p(-Uniform()));
  return radius * std::cos(2 * std::numbers::pi * Uniform());
}

double Random::LogNormal(double median, double sigma) { return median * std::exp(sigma * Normal()); }

double Random::Exponential(double mean) { return -mean * std::log1p(-Uniform()); }

// Knuth's product of uniforms; exp(-500) is still a normal double.
int64_t Random::Poisson(double mean) {
  const double limit = std::exp(-std::clamp(mean, 0.0, 500.0));
  int64_t count = 0;
  for (double product = Uniform(); product > limit; product *= Uniform()) ++count;
  return count;
}

double Random::Burr(double c, double k, double scale) {
  return scale * std::pow(std::pow(1 - Uniform(), -1 / k) - 1, 1 / c);
}

double Random::Pareto(double least, double alpha) { return least * std::pow(1 - Uniform(), -1 / alpha); }

double Random::In(const Between<double>& range) {
  return range.least + (range.most - range.least) * Uniform();
}

int64_t Random::In(const Between<int64_t>& range) {
  const auto width = static_cast<double>(range.most - range.least);
  return std::min(range.most, range.least + static_cast<int64_t>(width * Uniform()));
}

int32_t Random::In(const Between<int32_t>& range) {
  return static_cast<int32_t>(In(Between<int64_t>{range.least, range.most}));
}

Nanos Random::In(const Between<Nanos>& range) {
  return {In(Between<int64_t>{range.least.count, range.most.count})};
}

int64_t Random::InByMagnitude(const Between<int64_t>& range) {
  const double ratio = static_cast<double>(range.most) / static_cast<double>(range.least);
  const double drawn = static_cast<double>(range.least) * std::pow(ratio, Uniform());
  return std::clamp(static_cast<int64_t>(drawn), range.least, range.most);
}

Nanos Random::ExponentialTime(Nanos mean) { return BoundedTime(Exponential(SecondsOf(mean))); }

Nanos Random::LogNormalTime(Nanos median, double sigma) {
  return BoundedTime(LogNormal(SecondsOf(median), sigma));
}

}  // namespace ballast::sim
