#include "matcher.h"

#include <hs/hs.h>

#include <algorithm>
#include <mutex>
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

std::string hex_expression(std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(text.size() * 4);
  for (unsigned char c : text) {
    out += "\\x";
    out += kDigits[c >> 4];
    out += kDigits[c & 15];
  }
  return out;
}

hs_platform_info_t target() {
  hs_platform_info_t info{};
  info.tune = HS_TUNE_FAMILY_GENERIC;
  info.cpu_features = platform().cpu_features;
  return info;
}

int collect(unsigned id, unsigned long long, unsigned long long, unsigned, void* context) {
  static_cast<std::vector<std::uint32_t>*>(context)->push_back(id);
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
  for (const hs_database_t* database : matcher.databases_) {
    check_hs(hs_alloc_scratch(database, &scratch_), "hs_alloc_scratch");
  }
}

Matcher::~Matcher() {
  for (hs_database_t* database : databases_) hs_free_database(database);
}

void Matcher::scan(std::string_view text, MatchScratch& scratch,
                   std::vector<std::uint32_t>& ids) const {
  ids.insert(ids.end(), always_.begin(), always_.end());
  if (text.empty()) {
    ids.insert(ids.end(), regexes_.begin(), regexes_.end());  // some match ""
    return;
  }
  CW_CHECK(text.size() <= UINT32_MAX);
  for (const hs_database_t* database : databases_) {
    check_hs(platform().scan(database, text.data(), static_cast<unsigned>(text.size()), 0,
                             scratch.scratch_, collect, &ids),
             "hs_scan");
  }
}

std::size_t Matcher::bytes() const {
  std::size_t total = 0;
  for (const hs_database_t* database : databases_) {
    std::size_t size = 0;
    if (hs_database_size(database, &size) == HS_SUCCESS) total += size;
  }
  return total;
}

void MatcherBuilder::add_literal(std::string_view text, std::uint32_t id) {
  CW_CHECK(!text.empty());
  literals_.push_back({hex_expression(text), HS_FLAG_SINGLEMATCH | HS_FLAG_DOTALL, id});
}

void MatcherBuilder::add_regex(const Regex& regex, std::uint32_t id) {
  unsigned flags = HS_FLAG_SINGLEMATCH | HS_FLAG_PREFILTER | HS_FLAG_UTF8 | HS_FLAG_ALLOWEMPTY;
  if (regex.flags().caseless) flags |= HS_FLAG_CASELESS;
  if (regex.flags().multiline) flags |= HS_FLAG_MULTILINE;
  if (regex.flags().dotall) flags |= HS_FLAG_DOTALL;
  regexes_.push_back({std::string(regex.text()), flags, id});
}

namespace {

// One database, or null with the index of the expression at fault in `bad`.
template <typename Items>
hs_database_t* compile_database(const Items& items, std::size_t& bad) {
  std::vector<const char*> expressions;
  std::vector<unsigned> flags, ids;
  for (const auto& item : items) {
    expressions.push_back(item.expression.c_str());
    flags.push_back(item.flags);
    ids.push_back(item.id);
  }
  hs_platform_info_t info = target();
  hs_database_t* database = nullptr;
  hs_compile_error_t* error = nullptr;
  hs_error_t result =
      hs_compile_multi(expressions.data(), flags.data(), ids.data(),
                       static_cast<unsigned>(items.size()), HS_MODE_BLOCK, &info, &database, &error);
  if (result == HS_SUCCESS) return database;
  bad = items.size();
  if (error != nullptr && error->expression >= 0) bad = static_cast<std::size_t>(error->expression);
  std::string message = error != nullptr && error->message != nullptr ? error->message : "unknown";
  hs_free_compile_error(error);
  if (result != HS_COMPILER_ERROR) throw std::runtime_error("vectorscan: cannot compile: " + message);
  return nullptr;
}

}  // namespace

std::unique_ptr<Matcher> MatcherBuilder::build() const {
  auto out = std::make_unique<Matcher>();
  std::size_t bad = 0;
  if (!literals_.empty()) {
    hs_database_t* database = compile_database(literals_, bad);
    if (database == nullptr) throw std::runtime_error("vectorscan: literals do not compile");
    out->databases_.push_back(database);
  }
  // Apart from the literals, in UTF-8 mode; what the library refuses is always asked of PCRE2.
  std::vector<Item> regexes = regexes_;
  while (!regexes.empty()) {
    hs_database_t* database = compile_database(regexes, bad);
    if (database != nullptr) {
      out->databases_.push_back(database);
      break;
    }
    if (bad >= regexes.size()) bad = regexes.size() - 1;  // together too large
    out->always_.push_back(regexes[bad].id);
    regexes.erase(regexes.begin() + static_cast<std::ptrdiff_t>(bad));
  }
  for (const Item& item : regexes) out->regexes_.push_back(item.id);
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
      builder.add_literal(literals[i], static_cast<std::uint32_t>(i));
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
                                 std::string(platform().name) + ", round " +
                                 std::to_string(round) + "): refusing to detect with it");
      }
    }
  }
}

}  // namespace cw::detect
