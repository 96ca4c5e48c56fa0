// Project Wycheproof's vectors, read at test time from the corpora beside the project.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "base/json.h"
#include "base/text.h"
#include "crypto.h"

namespace cw {
namespace {

class Wycheproof : public testing::Test {
 protected:
  // Calls `each(group, test, valid)`; returns how many tests there were.
  int run(const std::string& file,
          const std::function<void(const json::object&, const json::object&, bool)>& each) {
    const char* set = std::getenv("CALLWARDEN_CORPORA");
    std::string root = set ? set : std::string(CW_SOURCE_DIR) + "/../shared/corpora";
    std::ifstream in(root + "/wycheproof/" + file);
    std::stringstream text;
    text << in.rdbuf();
    if (!in) return 0;
    int count = 0;
    auto all = *parse_json(text.str(), {.size_max = 8 << 20});
    for (const auto& group : all.at("testGroups").as_array()) {
      for (const auto& test : group.at("tests").as_array()) {
        SCOPED_TRACE("tcId " + std::to_string(test.at("tcId").as_int64()));
        each(group.as_object(), test.as_object(), test.at("result").as_string() != "invalid");
        ++count;
      }
    }
    return count;
  }

  static std::string bytes(const json::object& o, std::string_view key) {
    return *from_hex(o.at(key).as_string());
  }
};

// Hands out the given bytes, so that sealing is repeatable.
struct FixedRandom final : Random {
  explicit FixedRandom(std::string b) : bytes(std::move(b)) {}
  void fill(void* out, std::size_t size) override {
    ASSERT_EQ(size, bytes.size());
    std::memcpy(out, bytes.data(), size);
  }
  std::string bytes;
};

constexpr const char* absent = "the corpora are not beside the project: see CALLWARDEN_CORPORA";

TEST_F(Wycheproof, AesGcmWith256BitKeysAnd96BitNonces) {
  int used = 0;
  int all = run("aes_gcm_test.json", [&](const auto& group, const auto& test, bool valid) {
    if (group.at("keySize") != 256 || group.at("ivSize") != 96 || group.at("tagSize") != 128)
      return;
    ++used;
    std::string key = bytes(test, "key"), nonce = bytes(test, "iv"), aad = bytes(test, "aad");
    std::string box = nonce + bytes(test, "ct") + bytes(test, "tag");
    auto opened = aead_open(key, box, aad);
    EXPECT_EQ(opened.has_value(), valid);
    if (!valid) return;
    EXPECT_EQ(opened, bytes(test, "msg"));
    FixedRandom fixed(nonce);
    EXPECT_EQ(aead_seal(key, bytes(test, "msg"), aad, fixed), box);
  });
  if (all == 0) GTEST_SKIP() << absent;
  EXPECT_GE(used, 60);
}

TEST_F(Wycheproof, HmacSha256) {
  int all = run("hmac_sha256_test.json", [&](const auto& group, const auto& test, bool valid) {
    Hash h = hmac_sha256(bytes(test, "key"), bytes(test, "msg"));
    auto size = static_cast<std::size_t>(group.at("tagSize").as_int64() / 8);
    EXPECT_EQ(bytes_of(h).substr(0, size) == bytes(test, "tag"), valid);
  });
  if (all == 0) GTEST_SKIP() << absent;
}

TEST_F(Wycheproof, HkdfSha256) {
  int all = run("hkdf_sha256_test.json", [&](const auto&, const auto& test, bool valid) {
    auto size = static_cast<std::size_t>(test.at("size").as_int64());
    std::string ikm = bytes(test, "ikm"), salt = bytes(test, "salt"), info = bytes(test, "info");
    if (size > 8160) {  // RFC 5869 §2.3: at most 255 blocks
      EXPECT_FALSE(valid);
      EXPECT_DEATH((void)hkdf_sha256(ikm, salt, info, size), "size");
      return;
    }
    EXPECT_EQ(hkdf_sha256(ikm, salt, info, size).view() == bytes(test, "okm"), valid);
  });
  if (all == 0) GTEST_SKIP() << absent;
}

TEST_F(Wycheproof, Ed25519Verification) {
  int all = run("ed25519_test.json", [&](const auto& group, const auto& test, bool valid) {
    std::string key = bytes(group.at("publicKey").as_object(), "pk");
    EXPECT_EQ(ed25519_verify(key, bytes(test, "msg"), bytes(test, "sig")), valid);
  });
  if (all == 0) GTEST_SKIP() << absent;
}

}  // namespace
}  // namespace cw
