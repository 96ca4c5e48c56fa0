#include "signature.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace cw {
namespace {

TEST(UuidTest, OfANameIsThatOfTheStandard) {
  EXPECT_EQ(uuid_of_name("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "www.example.com"),
            "2ed6657d-e927-568b-95e1-2665a8aea6a2")
      << "RFC 9562, appendix A.4";
  EXPECT_EQ(uuid_text(std::string(16, '\xFF'), 4), "ffffffff-ffff-4fff-bfff-ffffffffffff");
}

TEST(SignatureTest, TheEd25519ExampleOfRfc8037HoldsAndNothingElse) {
  const std::string key = *from_hex("302a300506032b6570032100") +
                          *from_base64url("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
  const std::string text = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
  const std::string signature = *from_base64url(
      "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
  EXPECT_EQ(verify_signature("EdDSA", key, text, signature), Verdict::valid);
  EXPECT_EQ(verify_signature("Ed25519", key, text + ".", signature), Verdict::invalid);
  EXPECT_EQ(verify_signature("EdDSA", key, text, signature.substr(1)), Verdict::invalid);
  EXPECT_EQ(verify_signature("RS256", key, text, signature), Verdict::bad_key);
  EXPECT_EQ(verify_signature("EdDSA", key + "x", text, signature), Verdict::bad_key);
  EXPECT_EQ(verify_signature("HS256", key, text, signature), Verdict::unsupported);
  EXPECT_EQ(verify_signature("ES256", "", text, signature), Verdict::bad_key);
}

}  // namespace
}  // namespace cw
