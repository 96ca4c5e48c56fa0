#include "help.h"

#include <algorithm>

#include "base/text.h"

namespace cw {
namespace {

struct CommandHelp {
  const char *name, *use;
  const char *zh, *en;                  // one line for the list
  const char *options_zh, *options_en;  // below the use; may be empty
};

constexpr CommandHelp kCommands[] = {
    {"serve", "serve --data DIR [--listen HOST:PORT] [--config FILE]", "运行服务", "run the server",
     "  --data DIR          数据目录，不存在时新建\n"
     "  --listen HOST:PORT  监听地址，默认 127.0.0.1:8420；回环地址用 HTTP，其他一律用 TLS\n"
     "  --config FILE       配置文件，默认 DIR/callwarden.json（docs/formats/config.md）\n"
     "  --origin NAME       审计链名称，首次启动时选定，不能更改\n"
     "  --tls-cert FILE     证书（PEM）；省略时自签一张\n"
     "  --tls-key FILE      私钥（PEM，权限 0600）；续期后发送 SIGHUP 重新读取\n"
     "  --reserve-mib N     预留的磁盘空间，1–4096，默认 32；磁盘写满时靠它继续\n"
     "  --test-clock        允许测试把时钟拨快；正式环境不要使用\n"
     "  --no-sync           不等待落盘；只用于证明故障测试能看见丢失\n"
     "环境变量：CALLWARDEN_CONTENT 内容目录；CALLWARDEN_LANG=zh|en 提示语言\n",
     "  --data DIR          the data folder; made when there is none\n"
     "  --listen HOST:PORT  default 127.0.0.1:8420; loopback is plain HTTP, anything else TLS\n"
     "  --config FILE       default DIR/callwarden.json (docs/formats/config.md)\n"
     "  --origin NAME       the ledger's name, chosen at the first start and for ever\n"
     "  --tls-cert FILE     certificate (PEM); without it a self-signed one is made\n"
     "  --tls-key FILE      its key (PEM, mode 0600); SIGHUP reads both again after a renewal\n"
     "  --reserve-mib N     disk space kept free, 1–4096, default 32; it survives a full disk\n"
     "  --test-clock        lets a test push the clock ahead; never in production\n"
     "  --no-sync           answers before the disk has it; only to show that a harness sees\n"
     "Environment: CALLWARDEN_CONTENT, the content folder; CALLWARDEN_LANG=zh|en\n"},
    {"demo", "demo --data DIR [--listen HOST:PORT] | --once", "可信的示范呼叫中心",
     "a believable call centre",
     "  --once              不开网页，在虚拟时钟下跑完主流程；每一步都成立才返回 0\n"
     "  --listen HOST:PORT  默认 127.0.0.1:8420\n"
     "  --syslog-port N     电话系统日志的 UDP 端口，默认 5514；0 由系统选择\n"
     "  --password TEXT     示范账号的密码；省略时随机生成并打印\n"
     "  --test-clock        允许测试把时钟拨快\n",
     "  --once              headless, under a virtual clock; 0 only when every step happened\n"
     "  --listen HOST:PORT  default 127.0.0.1:8420\n"
     "  --syslog-port N     UDP port for the telephone system's log, default 5514; 0: any\n"
     "  --password TEXT     of the demo's accounts; made and printed when left out\n"
     "  --test-clock        lets a test push the clock ahead\n"},
    {"ledger", "ledger verify|prove|export|witness …", "离线核验记录",
     "the record, checked offline", "", ""},
    {"procedure", "procedure check|simulate|export|import [--json] [--lang zh|en] FILE…",
     "检查流程文件，或启用前推演", "mistakes by line; simulation before adoption",
     "  check FILE…     流程、表单、日历的错误及行列；返回 0 无错误，1 有错误，2 用法不对或读不到\n"
     "  simulate FILE…  在虚拟时钟下推演：时限达标率、走不下去之处、超负荷岗位；0 通过，1 不通过\n"
     "    --runs N          次数，1–20000，默认 1000\n"
     "    --roster FILE     人员名册；--pace FILE 用时与选择（docs/formats/simulation.md）\n"
     "    --seed N          同一种子结果相同；--threshold N 达标率门槛（百分数，默认 80）\n"
     "    --plot FILE.svg   画出一个文件的结果\n"
     "  export --cacao FILE|ID [--at TIME]      导出为 CACAO 2.0 剧本（docs/formats/cacao.md）\n"
     "  import --cacao FILE [--out DIR]         导入剧本为草稿，附转换与丢失报告；命令从不执行\n",
     "  check FILE…     procedures, forms and calendars; 0: no mistake, 1: mistakes, 2: wrong use\n"
     "  simulate FILE…  on a virtual clock: limits met, dead ends, overloaded posts; 0: passes\n"
     "    --runs N          1–20000, default 1000\n"
     "    --roster FILE     who is there; --pace FILE: times and choices "
     "(docs/formats/simulation.md)\n"
     "    --seed N          the same seed, the same report; --threshold N: percent, default 80\n"
     "    --plot FILE.svg   a picture of one file's report\n"
     "  export --cacao FILE|ID [--at TIME]  as a CACAO 2.0 playbook (docs/formats/cacao.md)\n"
     "  import --cacao FILE [--out DIR]     a playbook as a draft with a report; runs nothing\n"},
    {"organisation", "organisation check|load FILE [--data DIR]", "检查组织文件，或写入数据目录",
     "a house's organisation from its file",
     "  check FILE…                        错误及行列（docs/formats/organisation.md）\n"
     "  load FILE --data DIR [--dry-run]   先停止服务；--dry-run "
     "只说明会改什么；重复执行不再改变\n",
     "  check FILE…                        mistakes by line (docs/formats/organisation.md)\n"
     "  load FILE --data DIR [--dry-run]   with the server stopped; --dry-run only tells what "
     "would\n"
     "                                     change; loading twice changes nothing the second "
     "time\n"},
    {"calendar", "calendar due|export|import …", "逐段解释工作时间", "working time explained",
     "  due --calendar ID --from TIME --add SPAN [--json]  到期时间及其由来\n"
     "    --from TIME  2026-02-13T17:30（该日历的时区），或带时差的 RFC 3339\n"
     "    --add SPAN   15m、8h（开放时间）、5wd（工作日）、30d（自然日）\n"
     "  export --calendar ID --years 2026[..2027] [--what holidays|hours]  导出 iCalendar\n"
     "  import FILE.ics --list ID [--announced DATE] [--work WORDS]        导入为节假日名单\n",
     "  due --calendar ID --from TIME --add SPAN [--json]  a due time and how it came about\n"
     "    --from TIME  2026-02-13T17:30 in the calendar's zone, or RFC 3339 with an offset\n"
     "    --add SPAN   15m, 8h (open time), 5wd (workdays), 30d (natural days)\n"
     "  export --calendar ID --years 2026[..2027] [--what holidays|hours]  as iCalendar\n"
     "  import FILE.ics --list ID [--announced DATE] [--work WORDS]  a list of holidays\n"},
    {"rules", "rules check|test|replay …", "检测规则", "detection rules",
     "  check [--json] PATH…      每条规则：已编译、降级或拒绝及原因\n"
     "  test [--json] PATH…       必须命中与不得命中的样例\n"
     "  replay PATH… --events FILE|-  用规则重放逐行 JSON 事件：命中次数与对象\n",
     "  check [--json] PATH…      each rule: compiled, degraded or rejected with the reason\n"
     "  test [--json] PATH…       what must fire and what must not\n"
     "  replay PATH… --events FILE|-  the rules over JSON lines: counts and entities\n"},
    {"bench", "bench engine|journal|ledger|detect|http [--json]", "性能数字及同场基准",
     "figures beside their baselines",
     "  --cases N     engine、http：案件数，默认 100000\n"
     "  --count N     journal、ledger：条目数，默认 200000\n"
     "  --corpus DIR  detect：规则与事件样本目录\n",
     "  --cases N     engine, http: how many cases, default 100000\n"
     "  --count N     journal, ledger: how many entries, default 200000\n"
     "  --corpus DIR  detect: a folder of rules and events\n"},
    {"openapi", "openapi", "打印接口文档", "the API's document", "", ""},
    {"version", "version", "版本", "which version this is", "", ""},
};

}  // namespace

std::string usage_of(std::string_view command, bool english) {
  for (const auto& c : kCommands)
    if (command == c.name)
      return std::string(english ? "usage: callwarden " : "用法：callwarden ") + c.use + "\n" +
             (english ? c.options_en : c.options_zh);
  std::string out = "callwarden " CW_VERSION "\n";
  for (const auto& c : kCommands) {
    std::string use = std::string("  ") + c.use;
    use.append(std::max<std::size_t>(code_points(use) + 2, 62) - code_points(use), ' ');
    out += use + (english ? c.en : c.zh) + "\n";
  }
  return out + (english ? "callwarden help COMMAND tells its options.\n"
                        : "callwarden help 命令：说明该命令的选项。\n");
}

}  // namespace cw
