#include "crypto.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace cw {
namespace {

std::string hex(const Hash& h) { return to_hex(bytes_of(h)); }

TEST(Sha256Test, KnownAnswersOfFips180) {
  EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(sha256(std::string(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256Test, PartsAndStreamsGiveTheHashOfTheWhole) {
  Hash whole = sha256("node: left right");
  EXPECT_EQ(sha256_of({"node", ": left", "", " right"}), whole);
  Sha256 stream;
  for (char c : std::string("node: left right")) stream.update({&c, 1});
  EXPECT_EQ(stream.finish(), whole);
  EXPECT_EQ(stream.update("abc").finish(), sha256("abc")) << "after finish() it starts anew";
}

TEST(SecretBytesTest, StartsZeroedMovesAndEmpties) {
  SecretBytes a(4);
  EXPECT_EQ(a.view(), std::string_view("\0\0\0\0", 4));
  SecretBytes b = SecretBytes::copy("key!");
  a = std::move(b);
  EXPECT_EQ(a.view(), "key!");
  SecretBytes c = std::move(a);
  EXPECT_TRUE(a.empty());  // NOLINT: use after move is the point
  EXPECT_EQ(c.clone().view(), "key!");
  SeededRandom random(1);
  EXPECT_NE(SecretBytes::random(32, random).view(), SecretBytes::random(32, random).view());
}

TEST(Aead, OpensOnlyWhatWasSealedWithTheSameKeyAndContext) {
  SeededRandom random(7);
  SecretBytes key = SecretBytes::random(32, random);
  std::string box = aead_seal(key.view(), "13800000000", "person/1", random);
  EXPECT_EQ(box.size(), 11 + aead_overhead);
  EXPECT_EQ(aead_open(key.view(), box, "person/1"), "13800000000");
  EXPECT_EQ(aead_open_secret(key.view(), box, "person/1")->view(), "13800000000");
  EXPECT_FALSE(aead_open(key.view(), box, "person/2"));
  EXPECT_FALSE(aead_open(SecretBytes::random(32, random).view(), box, "person/1"));
  EXPECT_FALSE(aead_open(key.view(), box.substr(0, 27), "person/1"));
  for (std::size_t i = 0; i < box.size(); ++i) {
    std::string changed = box;
    changed[i] ^= 1;
    EXPECT_FALSE(aead_open(key.view(), changed, "person/1")) << "byte " << i;
    EXPECT_FALSE(aead_open_secret(key.view(), changed, "person/1")) << "byte " << i;
  }
  EXPECT_EQ(aead_open(key.view(), aead_seal(key.view(), "", "", random), ""), "");
}

TEST(Aead, TwoBoxesOfTheSameTextDiffer) {
  SeededRandom random(7);
  std::string key = random.bytes(32);
  EXPECT_NE(aead_seal(key, "same", "", random), aead_seal(key, "same", "", random));
}

TEST(Ed25519, FirstAndThirdAnswersOfRfc8032) {
  SigningKey one = SigningKey::from_seed(
      *from_hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"));
  EXPECT_EQ(to_hex(one.public_key()),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  EXPECT_EQ(
      to_hex(one.sign("")),
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701c"
      "f9b46bd25bf5f0595bbe24655141438e7a100b");
  SigningKey three = SigningKey::from_seed(
      *from_hex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7"));
  EXPECT_EQ(
      to_hex(three.sign("\xaf\x82")),
      "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f76098"
      "4dc6594a7c15e9716ed28dc027beceea1ec40a");
}

TEST(Ed25519, RefusesAnotherMessageKeyOrLength) {
  SeededRandom random(3);
  SigningKey key = SigningKey::generate(random);
  SigningKey other = SigningKey::generate(random);
  std::string s = key.sign("entry 1");
  EXPECT_TRUE(ed25519_verify(key.public_key(), "entry 1", s));
  EXPECT_FALSE(ed25519_verify(key.public_key(), "entry 2", s));
  EXPECT_FALSE(ed25519_verify(other.public_key(), "entry 1", s));
  EXPECT_FALSE(ed25519_verify(key.public_key(), "entry 1", s.substr(1)));
  EXPECT_FALSE(ed25519_verify("short", "entry 1", s));
  SigningKey moved = std::move(key);
  EXPECT_EQ(moved.sign("entry 1"), s);
}

TEST(Password, VerifiesAndNamesItsParameters) {
  SeededRandom random(5);
  PasswordCost cheap{1, 8 << 10};
  std::string phc = password_hash("correct horse 呼安", random, cheap);
  EXPECT_EQ(phc.substr(0, 27), "$argon2id$v=19$m=8,t=1,p=1$");
  EXPECT_TRUE(password_verify(phc, "correct horse 呼安"));
  EXPECT_FALSE(password_verify(phc, "correct horse"));
  std::string decoy = password_decoy(random, cheap);
  EXPECT_EQ(decoy.size(), phc.size());
  EXPECT_FALSE(password_is_outdated(decoy, cheap));
  EXPECT_FALSE(password_verify(decoy, ""));
  EXPECT_FALSE(password_verify("not a hash", "correct horse"));
  EXPECT_FALSE(password_verify(std::string(500, '$'), "correct horse"));
  EXPECT_NE(password_hash("correct horse 呼安", random, cheap), phc) << "the salt differs";
  EXPECT_FALSE(password_is_outdated(phc, cheap));
  EXPECT_TRUE(password_is_outdated(phc, {2, 8 << 10}));
}

TEST(Totp, AnswersOfRfc6238CutToSixDigits) {
  std::string secret = "12345678901234567890";
  EXPECT_EQ(totp_code(secret, 59 / 30), "287082");
  EXPECT_EQ(totp_code(secret, 1111111109 / 30), "081804");
  EXPECT_EQ(totp_code(secret, 1234567890 / 30), "005924");
  EXPECT_EQ(totp_code(secret, 20000000000 / 30), "353130");
}

TEST(Totp, AcceptsOneStepOfDriftAndSaysWhichStepItWas) {
  std::string secret = "12345678901234567890";
  std::int64_t now_ms = 1111111109'000, step = now_ms / 30'000;
  for (std::int64_t drift : {-1, 0, 1})
    EXPECT_EQ(totp_match(secret, totp_code(secret, step + drift), now_ms), step + drift);
  EXPECT_FALSE(totp_match(secret, totp_code(secret, step - 2), now_ms));
  EXPECT_FALSE(totp_match(secret, totp_code(secret, step + 2), now_ms));
  EXPECT_FALSE(totp_match(secret, "", now_ms));
}

TEST(Totp, UriIsWhatAnAuthenticatorScans) {
  EXPECT_EQ(totp_uri("呼安", "a b", "12345678901234567890"),
            "otpauth://totp/%E5%91%BC%E5%AE%89:a%20b?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
            "&issuer=%E5%91%BC%E5%AE%89&algorithm=SHA1&digits=6&period=30");
}

TEST(Base32, RoundTripsTheVectorsOfRfc4648) {
  for (auto [plain, text] :
       std::initializer_list<std::pair<std::string, std::string>>{{"", ""},
                                                                  {"f", "MY"},
                                                                  {"fo", "MZXQ"},
                                                                  {"foo", "MZXW6"},
                                                                  {"foob", "MZXW6YQ"},
                                                                  {"fooba", "MZXW6YTB"},
                                                                  {"foobar", "MZXW6YTBOI"}}) {
    EXPECT_EQ(to_base32(plain), text);
    EXPECT_EQ(from_base32(text), plain);
    EXPECT_EQ(from_base32(to_lower(text) + "=="), plain);
  }
  EXPECT_FALSE(from_base32("M1"));  // not a letter of the alphabet
  EXPECT_FALSE(from_base32("MZ"));  // bits left over
  EXPECT_FALSE(from_base32("MZXWA6YQB"));
}

}  // namespace
}  // namespace cw
