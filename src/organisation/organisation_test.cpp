#include "organisation/organisation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace cw {
namespace {

using testing::HasSubstr;

const std::filesystem::path content = std::filesystem::path(CW_SOURCE_DIR) / "content";

std::string text_of(const std::string& name) {
  std::ifstream in(content / "organisation" / name);
  std::ostringstream all;
  all << in.rdbuf();
  return all.str();
}

// "4:12 no post 'x'" of each mistake.
std::vector<std::string> mistakes_of(const std::string& text) {
  std::vector<Mistake> mistakes;
  auto read = read_organisation(text, "f.yaml", templates_in(content), mistakes);
  EXPECT_EQ(read == nullptr, !mistakes.empty());
  std::vector<std::string> out;
  for (const Mistake& m : mistakes) {
    EXPECT_FALSE(m.text.zh.empty());
    out.push_back(std::to_string(m.line) + ":" + std::to_string(m.column) + " " + m.text.en);
  }
  return out;
}

const std::string kHead =
    "organisation: house\nversion: 1\ntitle: {zh: 家, en: House}\nuses: call-centre\n";

TEST(OrganisationFile, what_ships_is_read_without_a_mistake) {
  for (const auto& e : std::filesystem::directory_iterator(content / "organisation"))
    EXPECT_THAT(mistakes_of(text_of(e.path().filename())), testing::IsEmpty()) << e.path();
}

TEST(OrganisationFile, a_house_uses_the_template_and_adds_its_own) {
  std::vector<Mistake> mistakes;
  auto file = read_organisation(
      kHead +
          "posts:\n"
          "  trainer: {title: {zh: 讲师, en: Trainer}, duty: {zh: 讲, en: Teaches}}\n"
          "  dpo: {title: {zh: 个保, en: Privacy}, duty: {zh: 护, en: Protects}}\n",
      "house.yaml", templates_in(content), mistakes);
  ASSERT_TRUE(file);
  auto named = [&](const char* id) {
    return std::count_if(file->posts.begin(), file->posts.end(),
                         [&](auto& p) { return p.id == id; });
  };
  EXPECT_EQ(named("duty-officer"), 1);
  EXPECT_EQ(named("trainer"), 1);
  EXPECT_EQ(named("dpo"), 1);  // its own instead of the template's
  EXPECT_EQ(file->call_tree.size(), 7u);
  EXPECT_EQ(file->units.size(), 1u);
}

TEST(OrganisationFile, mistakes_have_their_place) {
  EXPECT_THAT(mistakes_of(kHead + "orgs:\n  root: {holders: {duty-oficer: {holder: wang}}}\n"),
              testing::ElementsAre("6:20 no post 'duty-oficer'"));
  EXPECT_THAT(mistakes_of(kHead + "orgs:\n  c: {title: {zh: 中, en: C}, kind: branch}\n"),
              testing::ElementsAre(HasSubstr("6:6 kind is hq, province or centre")));
  EXPECT_THAT(mistakes_of(kHead + "people:\n  w: {name: 王, staff_no: '1', org: nowhere}\n"),
              testing::Contains(HasSubstr("no organisation 'nowhere'")));
  EXPECT_THAT(mistakes_of(kHead + "orgs: {root: {members: {tecnical: [w]}}}\n"),
              testing::ElementsAre("5:25 no team 'tecnical'"));
  EXPECT_THAT(mistakes_of("organisation: h\nversion: 1\ntitle: {zh: 家, en: H}\nuses: none\n"),
              testing::ElementsAre("4:7 no organisation 'none'"));
}

TEST(OrganisationFile, a_level_has_one_head_and_the_call_tree_one_root) {
  const std::string duty = ", duty: {zh: 责, en: D}}\n";
  const std::string posts =
      "organisation: h\nversion: 1\ntitle: {zh: 家, en: H}\nposts:\n"
      "  a: {title: {zh: 甲, en: A}, heads: [duty]" +
      duty + "  b: {title: {zh: 乙, en: B}" + duty;
  EXPECT_THAT(mistakes_of(posts + "  c: {title: {zh: 丙, en: C}, heads: [duty]" + duty),
              testing::ElementsAre(HasSubstr("level 'duty' is headed by 'a' already")));
  EXPECT_THAT(
      mistakes_of(posts +
                  "call_tree:\n  a: {within: 5m, calls: [b]}\n  b: {within: 5m, calls: [a]}\n"),
      testing::Contains(HasSubstr("leads back to")));
  EXPECT_THAT(mistakes_of(posts + "call_tree:\n  a: {within: 5wd, calls: [b]}\n"),
              testing::ElementsAre(HasSubstr("expected a span")));
  EXPECT_THAT(mistakes_of(posts + "call_tree:\n  a: {within: 5m, calls: [b]}\n"),
              testing::IsEmpty());
}

}  // namespace
}  // namespace cw
