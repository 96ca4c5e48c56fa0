#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/text.h"
#include "ledger_testing.h"

namespace cw {
namespace {

// The worked example of golang.org/x/mod/sumdb/note.
constexpr const char* go_vkey =
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
constexpr const char* go_skey =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
constexpr const char* go_note =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6"
    "RyyBwJnAM=\n";

TEST(Note, SignsAndVerifiesExactlyAsGoDoes) {
  TemporaryFolder folder;
  write_file(folder / "key", std::string(go_skey) + "\n");
  ::chmod((folder / "key").c_str(), 0600);
  auto signer = read_signer(folder / "key", "PeterNeumann");
  ASSERT_TRUE(signer);
  EXPECT_EQ(signer->verifier().text(), go_vkey);
  auto note = SignedNote::parse(go_note);
  ASSERT_TRUE(note);
  EXPECT_TRUE(note->verify(*VerifierKey::parse(go_vkey)));
  EXPECT_EQ(note->text + "\n" + signer->signature_line(note->text), go_note);
}

TEST(Note, KeyFilesAreMadeOnceAndMustBePrivate) {
  TemporaryFolder folder;
  SeededRandom random(1);
  std::string path = folder / "keys/ledger";
  auto made = create_signer(path, "ledger.example", random);
  ASSERT_TRUE(made);
  struct stat info {};
  ::stat(path.c_str(), &info);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_EQ(read_signer(path, "ledger.example")->verifier().text(), made->verifier().text());
  EXPECT_EQ(create_signer(path, "ledger.example", random).problem().code, "ledger.key_exists");
  EXPECT_EQ(read_signer(path, "other.example").problem().code, "ledger.key_name");
  EXPECT_EQ(read_signer(folder / "none", "x").problem().code, "ledger.key_missing");
  for (mode_t wide : {0640, 0604, 0660}) {
    ::chmod(path.c_str(), wide);
    EXPECT_EQ(read_signer(path, "ledger.example").problem().code, "ledger.key_mode");
  }
  ::chmod(path.c_str(), 0400);
  EXPECT_TRUE(read_signer(path, "ledger.example"));
  EXPECT_EQ(create_signer(folder / "k2", "two words", random).problem().code, "ledger.name");
  EXPECT_EQ(create_signer(folder / "k2", "a+b", random).problem().code, "ledger.name");
  EXPECT_EQ(create_signer(folder / "k2", "wide　space", random).problem().code, "ledger.name");
}

TEST(Note, AVerifierKeyThatWasMiscopiedIsRefused) {
  std::string key = go_vkey;
  EXPECT_TRUE(VerifierKey::parse(" " + key + "\n"));
  for (std::size_t i = 0; i < key.size(); ++i) {
    std::string changed = key;
    changed[i] ^= 1;
    EXPECT_FALSE(VerifierKey::parse(changed)) << "byte " << i;
  }
}

TEST(Note, ADamagedNoteIsRefusedWithItsLine) {
  auto line = [](const std::string& note) { return place_of(SignedNote::parse(note).problem()); };
  EXPECT_EQ(line("text\n\n"), "/checkpoint/3");
  EXPECT_EQ(line("text\nmore\n— k AAAAAAA=\n"), "/checkpoint/4");
  EXPECT_EQ(line("te\txt\n\n— k AAAAAAA=\n"), "/checkpoint/1");
  EXPECT_EQ(line("text\n\n- k AAAAAAA=\n"), "/checkpoint/3");
  EXPECT_EQ(line("text\n\n— k AAAAAAB=\n"), "/checkpoint/3") << "not canonical base64";
  EXPECT_EQ(line("text\n\n— k AAAAAAA=\n— k"), "/checkpoint/4");
  EXPECT_EQ(line("te\xFFxt\n\n— k AAAAAAA=\n"), "/checkpoint/1");
  EXPECT_TRUE(SignedNote::parse("text\n\nstill text\n\n— k AAAAAAA=\n"));
}

TEST(Note, OneWrongSignatureOfAKnownKeySpoilsTheNote) {
  SeededRandom random(2);
  NoteSigner signer{"ledger.example", SigningKey::generate(random)};
  NoteSigner other{"other.example", SigningKey::generate(random)};
  std::string good = "text\n\n" + signer.signature_line("text\n");
  EXPECT_TRUE(SignedNote::parse(good)->verify(signer.verifier()));
  EXPECT_FALSE(SignedNote::parse(good)->verify(other.verifier()));
  EXPECT_TRUE(SignedNote::parse(good + other.signature_line("x\n"))->verify(signer.verifier()))
      << "an unknown key's signature does not matter";
  auto spoiled =
      SignedNote::parse(good + signer.signature_line("another\n"))->verify(signer.verifier());
  EXPECT_EQ(place_of(spoiled.problem()), "/checkpoint/4");
}

TEST(Note, ACosignatureNamesItsTimeAndIsNoPlainSignature) {
  SeededRandom random(3);
  NoteSigner witness{"witness.example", SigningKey::generate(random)};
  std::string note = "text\n\n" + witness.cosignature_line("text\n", 1'795'305'600);
  auto parsed = SignedNote::parse(note);
  EXPECT_EQ(*parsed->verify(witness.verifier(4)), 1'795'305'600);
  EXPECT_FALSE(parsed->verify(witness.verifier(1)));
  EXPECT_EQ(parsed->signatures[0].bytes.size(), 72u);
}

TEST(CheckpointText, RoundTripsAndRefusesWhatIsNotCanonical) {
  Checkpoint c{"ledger.example/center", 70'000, sha256("root"), {}};
  EXPECT_EQ(Checkpoint::parse(c.text())->text(), c.text());
  std::string root = to_base64(bytes_of(c.root));
  auto place = [](const std::string& text) { return place_of(Checkpoint::parse(text).problem()); };
  EXPECT_EQ(place("o\n007\n" + root + "\n"), "/checkpoint/2");
  EXPECT_EQ(place("o\n-1\n" + root + "\n"), "/checkpoint/2");
  EXPECT_EQ(place("o\n99999999999999999999\n" + root + "\n"), "/checkpoint/2");
  EXPECT_EQ(place("o\n7\nAAAA\n"), "/checkpoint/3");
  EXPECT_EQ(place("o\n7\n"), "/checkpoint/3");
  EXPECT_EQ(place("o\n7\n" + root + "\n\nx\n"), "/checkpoint/4");
  EXPECT_EQ(Checkpoint::parse("o\n7\n" + root + "\nextension\n")->extensions.size(), 1u);
}

TEST(ProofText, RoundTripsAndRefusesDamage) {
  SeededRandom random(4);
  NoteSigner signer{"ledger.example", SigningKey::generate(random)};
  std::string text =
      Checkpoint{"ledger.example", 2, node_hash(leaf_hash("a"), leaf_hash("b")), {}}.text();
  std::string note = text + "\n" + signer.signature_line(text);
  TlogProof proof{1, "b", {leaf_hash("a")}, note};
  std::string vkey = signer.verifier().text();
  EXPECT_EQ(TlogProof::parse(proof.text())->text(), proof.text());
  EXPECT_TRUE(verify_proof(proof.text(), vkey));
  EXPECT_EQ(place_of(verify_proof(proof.text(), vkey, "c").problem()), "/entries/1");
  proof.extra.reset();
  EXPECT_EQ(verify_proof(proof.text(), vkey).problem().code, "ledger.no_entry");
  EXPECT_TRUE(verify_proof(proof.text(), vkey, "b"));
  proof.extra = "b";
  std::string whole = proof.text();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string changed = whole;
    changed[i] ^= 1;
    EXPECT_FALSE(verify_proof(changed, vkey)) << "byte " << i << " of the proof";
    EXPECT_FALSE(verify_proof(whole.substr(0, i), vkey)) << "cut at " << i;
  }
}

}  // namespace
}  // namespace cw
