#include "matcher.h"

#include <hs/hs.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "aho_corasick.h"
#include "base/check.h"
#include "base/random.h"

#if defined(__x86_64__)
// The scanners of the static fat library, by instruction set (see matcher.h).
extern "C" {
hs_error_t avx2_hs_scan(const hs_database_t*, const char*, unsigned, unsigned, hs_scratch_t*,
                        match_event_handler, void*);
hs_error_t corei7_hs_scan(const hs_database_t*, const char*, unsigned, unsigned, hs_scratch_t*,
                          match_event_handler, void*);
hs_error_t core2_hs_scan(const hs_database_t*, const char*, unsigned, unsigned, hs_scratch_t*,
                         match_event_handler, void*);
}
#endif

namespace cw::detect {
namespace {

using ScanFunction = hs_error_t (*)(const hs_database_t*, const char*, unsigned, unsigned,
                                    hs_scratch_t*, match_event_handler, void*);

struct Platform {
  ScanFunction scan;
  unsigned long long cpu_features;
  std::string_view name;
};

Platform choose_platform() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2")) return {avx2_hs_scan, HS_CPU_FEATURES_AVX2, "avx2"};
  if (__builtin_cpu_supports("sse4.2")) return {corei7_hs_scan, 0, "sse4.2"};
  if (__builtin_cpu_supports("ssse3")) return {core2_hs_scan, 0, "ssse3"};
  throw std::runtime_error("the pattern library needs a processor with SSSE3");
#else
  return {hs_scan, 0, "native"};
#endif
}

const Platform& platform() {
  static const Platform chosen = choose_platform();
  return chosen;
}

void check_hs(hs_error_t error, const char* what) {
  if (error != HS_SUCCESS) {
    throw std::runtime_error(std::string("vectorscan: ") + what + " failed with " +
                             std::to_string(error));
  }
}

hs_platform_info_t target() {
  hs_platform_info_t info{};
  info.tune = HS_TUNE_FAMILY_GENERIC;
  info.cpu_features = platform().cpu_features;
  return info;
}

struct Collected {
  const std::vector<std::uint32_t>& first;
  const std::vector<std::uint32_t>& ids;
  std::vector<std::uint32_t>& out;
};

int collect(unsigned literal, unsigned long long, unsigned long long, unsigned, void* context) {
  auto& c = *static_cast<Collected*>(context);
  c.out.insert(c.out.end(), c.ids.begin() + c.first[literal], c.ids.begin() + c.first[literal + 1]);
  return 0;
}

}  // namespace

MatchScratch::~MatchScratch() { hs_free_scratch(scratch_); }
MatchScratch::MatchScratch(MatchScratch&& other) noexcept
    : scratch_(std::exchange(other.scratch_, nullptr)) {}
MatchScratch& MatchScratch::operator=(MatchScratch&& other) noexcept {
  std::swap(scratch_, other.scratch_);
  return *this;
}

void MatchScratch::fit(const Matcher& matcher) {
  if (matcher.database_ == nullptr) return;
  check_hs(hs_alloc_scratch(matcher.database_, &scratch_), "hs_alloc_scratch");
}

Matcher::~Matcher() { hs_free_database(database_); }

void Matcher::scan(std::string_view text, MatchScratch& scratch,
                   std::vector<std::uint32_t>& ids) const {
  if (database_ == nullptr || text.empty()) return;
  CW_CHECK(text.size() <= UINT32_MAX);
  Collected context{first_, ids_, ids};
  check_hs(platform().scan(database_, text.data(), static_cast<unsigned>(text.size()), 0,
                           scratch.scratch_, collect, &context),
           "hs_scan");
}

std::size_t Matcher::bytes() const {
  std::size_t size = 0;
  if (database_ != nullptr) check_hs(hs_database_size(database_, &size), "hs_database_size");
  return size;
}

std::unique_ptr<Matcher> MatcherBuilder::build() const {
  auto out = std::make_unique<Matcher>();
  if (ids_.empty()) return out;
  std::vector<const char*> literals;
  std::vector<std::size_t> sizes;
  std::vector<unsigned> flags, numbers;
  for (const auto& [literal, ids] : ids_) {
    CW_CHECK(!literal.empty());
    numbers.push_back(static_cast<unsigned>(literals.size()));
    flags.push_back(HS_FLAG_SINGLEMATCH);
    literals.push_back(literal.data());
    sizes.push_back(literal.size());
    out->first_.push_back(static_cast<std::uint32_t>(out->ids_.size()));
    out->ids_.insert(out->ids_.end(), ids.begin(), ids.end());
  }
  out->first_.push_back(static_cast<std::uint32_t>(out->ids_.size()));
  hs_platform_info_t info = target();
  hs_compile_error_t* error = nullptr;
  hs_error_t result = hs_compile_lit_multi(literals.data(), flags.data(), numbers.data(),
                                           sizes.data(), static_cast<unsigned>(literals.size()),
                                           HS_MODE_BLOCK, &info, &out->database_, &error);
  std::string message = error != nullptr && error->message != nullptr ? error->message : "";
  hs_free_compile_error(error);
  check_hs(result, ("compiling literals (" + message + ")").c_str());
  return out;
}

std::string_view matcher_instruction_set() { return platform().name; }

void matcher_self_test(std::uint64_t seed, int rounds) {
  SeededRandom random(seed);
  auto random_text = [&](std::size_t size) {
    std::string text(size, ' ');
    for (char& c : text) c = static_cast<char>('a' + random.below(26));
    return text;
  };
  for (int round = 0; round < rounds; ++round) {
    std::vector<std::string> literals;
    std::size_t count = 1 + random.below(120);
    for (std::size_t i = 0; i < count; ++i) literals.push_back(random_text(1 + random.below(24)));
    MatcherBuilder builder;
    for (std::size_t i = 0; i < count; ++i) {
      builder.add(literals[i], static_cast<std::uint32_t>(i));
    }
    AhoCorasick oracle(literals);
    auto matcher = builder.build();
    MatchScratch scratch;
    scratch.fit(*matcher);
    for (int probe = 0; probe < 20; ++probe) {
      std::string text = std::string(random.below(200), '.');
      for (std::size_t planted = random.below(4); planted > 0; --planted) {
        text.insert(random.below(text.size() + 1), literals[random.below(count)]);
      }
      std::vector<std::uint32_t> found;
      matcher->scan(text, scratch, found);
      std::sort(found.begin(), found.end());
      found.erase(std::unique(found.begin(), found.end()), found.end());
      if (found != oracle.find(text)) {
        throw std::runtime_error("the pattern library loses matches on this processor (" +
                                 std::string(platform().name) + ", round " + std::to_string(round) +
                                 "): refusing to detect with it");
      }
    }
  }
}

}  // namespace cw::detect
