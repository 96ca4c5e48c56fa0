#include "windows.h"

#include <algorithm>

#include "base/text.h"

namespace cw::detect {
namespace {

struct ChannelRow {
  std::string_view channel;  // lower case
  std::string_view service;
};

// Sigma's service names of Windows event channels (Sigma taxonomy appendix).
constexpr ChannelRow kChannels[] = {
    {"application", "application"},
    {"security", "security"},
    {"system", "system"},
    {"windows powershell", "powershell-classic"},
    {"microsoft-windows-sysmon/operational", "sysmon"},
    {"microsoft-windows-powershell/operational", "powershell"},
    {"powershellcore/operational", "powershell"},
    {"microsoft-windows-taskscheduler/operational", "taskscheduler"},
    {"microsoft-windows-windows defender/operational", "windefend"},
    {"microsoft-windows-wmi-activity/operational", "wmi"},
    {"microsoft-windows-bits-client/operational", "bits-client"},
    {"microsoft-windows-dns-client/operational", "dns-client"},
    {"microsoft-windows-dns client events/operational", "dns-client"},
    {"microsoft-windows-dns-server/analytical", "dns-server-analytic"},
    {"microsoft-windows-dns-server/audit", "dns-server-audit"},
    {"dns server", "dns-server"},
    {"microsoft-windows-ntlm/operational", "ntlm"},
    {"microsoft-windows-dhcp-server/operational", "dhcp"},
    {"dhcpadminevents", "dhcp"},
    {"microsoft-windows-windows firewall with advanced security/firewall", "firewall-as"},
    {"microsoft-windows-applocker/msi and script", "applocker"},
    {"microsoft-windows-applocker/exe and dll", "applocker"},
    {"microsoft-windows-applocker/packaged app-deployment", "applocker"},
    {"microsoft-windows-applocker/packaged app-execution", "applocker"},
    {"microsoft-windows-codeintegrity/operational", "codeintegrity-operational"},
    {"microsoft-windows-appxdeploymentserver/operational", "appxdeployment-server"},
    {"microsoft-windows-appxpackagingom/operational", "appxpackaging-om"},
    {"microsoft-windows-appmodel-runtime/admin", "appmodel-runtime"},
    {"microsoft-windows-smbclient/security", "smbclient-security"},
    {"microsoft-windows-smbclient/connectivity", "smbclient-connectivity"},
    {"microsoft-windows-smbserver/connectivity", "smbserver-connectivity"},
    {"microsoft-windows-driverframeworks-usermode/operational", "driver-framework"},
    {"microsoft-windows-terminalservices-localsessionmanager/operational",
     "terminalservices-localsessionmanager"},
    {"microsoft-windows-shell-core/operational", "shell-core"},
    {"microsoft-windows-printservice/admin", "printservice-admin"},
    {"microsoft-windows-printservice/operational", "printservice-operational"},
    {"microsoft-windows-security-mitigations/kernel mode", "security-mitigations"},
    {"microsoft-windows-security-mitigations/user mode", "security-mitigations"},
    {"microsoft-windows-lsa/operational", "lsa-server"},
    {"microsoft-windows-ldap-client/debug", "ldap"},
    {"microsoft-windows-capi2/operational", "capi2"},
    {"microsoft-windows-certificateservicesclient-lifecycle-system/operational",
     "certificateservicesclient-lifecycle-system"},
    {"microsoft-windows-diagnosis-scripted/operational", "diagnosis-scripted"},
    {"microsoft-windows-kernel-event tracing", "kernel-event-tracing"},
    {"microsoft-windows-kernel-shimengine/operational", "kernel-shimengine"},
    {"microsoft-servicebus-client/admin", "microsoft-servicebus-client"},
    {"microsoft-servicebus-client/operational", "microsoft-servicebus-client"},
    {"microsoft-iis-configuration/operational", "iis-configuration"},
    {"msexchange management", "msexchange-management"},
    {"openssh/operational", "openssh"},
};

// Sigma's category of a Sysmon event by its number.
std::string_view sysmon_category(int event_id, std::string_view event_type) {
  switch (event_id) {
    case 1:
      return "process_creation";
    case 2:
      return "file_change";
    case 3:
      return "network_connection";
    case 4:
    case 16:
      return "sysmon_status";
    case 5:
      return "process_termination";
    case 6:
      return "driver_load";
    case 7:
      return "image_load";
    case 8:
      return "create_remote_thread";
    case 9:
      return "raw_access_thread";
    case 10:
      return "process_access";
    case 11:
      return "file_event";
    case 12:
      return event_type.starts_with("Delete") ? "registry_delete" : "registry_add";
    case 13:
      return "registry_set";
    case 14:
      return "registry_rename";
    case 15:
      return "create_stream_hash";
    case 17:
    case 18:
      return "pipe_created";
    case 19:
    case 20:
    case 21:
      return "wmi_event";
    case 22:
      return "dns_query";
    case 23:
    case 26:
      return "file_delete";
    case 24:
      return "clipboard_capture";
    case 25:
      return "process_tampering";
    case 27:
      return "file_block_executable";
    case 28:
      return "file_block_shredding";
    case 29:
      return "file_executable_detected";
    case 255:
      return "sysmon_error";
    default:
      return {};
  }
}

std::string_view category_of(std::string_view service, int event_id, std::string_view event_type) {
  if (service == "sysmon") return sysmon_category(event_id, event_type);
  if (service == "security") {
    if (event_id == 4688) return "process_creation";
    if (event_id == 4657) return "registry_set";
    if (event_id == 5156) return "network_connection";
  } else if (service == "powershell") {
    if (event_id == 4103) return "ps_module";
    if (event_id == 4104) return "ps_script";
  } else if (service == "powershell-classic") {
    if (event_id == 400) return "ps_classic_start";
    if (event_id == 600) return "ps_classic_provider_start";
  }
  return {};
}

struct Rename {
  std::string_view theirs, sigma;
};
// Field mappings of Sigma's specification for events of the Security channel.
constexpr Rename kProcessCreation[] = {{"NewProcessName", "Image"},
                                       {"ParentProcessName", "ParentImage"},
                                       {"SubjectUserName", "User"},
                                       {"SubjectLogonId", "LogonId"},
                                       {"MandatoryLabel", "IntegrityLevel"}};
constexpr Rename kRegistry[] = {
    {"ObjectName", "TargetObject"}, {"NewValue", "Details"}, {"ProcessName", "Image"}};
constexpr Rename kConnection[] = {{"Application", "Image"},
                                  {"SourceAddress", "SourceIp"},
                                  {"DestAddress", "DestinationIp"},
                                  {"DestPort", "DestinationPort"}};

void add_taxonomy(std::vector<Field>& fields, std::span<const Rename> renames) {
  std::size_t count = fields.size();
  for (const Rename& r : renames) {
    auto named = [&](std::string_view name) {
      return std::find_if(fields.begin(), fields.begin() + static_cast<std::ptrdiff_t>(count),
                          [&](const Field& f) { return f.name == name; });
    };
    auto end = fields.begin() + static_cast<std::ptrdiff_t>(count);
    auto theirs = named(r.theirs);
    if (theirs == end || named(r.sigma) != end) continue;
    Field copy = *theirs;
    copy.name = r.sigma;
    fields.push_back(copy);
  }
}

bool cut_prefix(std::string_view& s, std::string_view prefix) {
  if (!s.starts_with(prefix)) return false;
  s.remove_prefix(prefix.size());
  return true;
}

// The flat name of one path of an exported event; "" leaves the field out.
std::string_view flat_name(std::string_view path, Arena& arena) {
  std::string_view name = path;
  if (cut_prefix(name, "winlog.event_data.")) return name;
  if (name == "winlog.channel") return "Channel";
  if (name == "winlog.event_id") return "EventID";
  if (name == "winlog.provider_name") return "Provider_Name";
  if (!cut_prefix(name, "Event.")) return path;
  if (name.starts_with("#attributes")) return {};
  if (!cut_prefix(name, "System.") && !cut_prefix(name, "EventData.")) {
    if (!cut_prefix(name, "UserData.")) return name;
    std::size_t dot = name.find('.');
    if (dot != std::string_view::npos) name.remove_prefix(dot + 1);
  }
  constexpr std::string_view kAttribute = ".#attributes.";
  if (std::size_t at = name.find(kAttribute); at != std::string_view::npos) {
    return arena.join(name.substr(0, at), '_', name.substr(at + kAttribute.size()));
  }
  if (name.starts_with("#attributes")) return {};
  if (name.ends_with(".#text")) name.remove_suffix(6);
  return name;
}

}  // namespace

bool lift_windows(std::vector<Field>& fields, Arena& arena, LogSource& logsource) {
  bool nested = std::any_of(fields.begin(), fields.end(), [](const Field& f) {
    return f.name.starts_with("Event.System.") || f.name.starts_with("winlog.");
  });
  if (nested) {
    for (Field& f : fields) f.name = flat_name(f.name, arena);
    std::erase_if(fields, [](const Field& f) { return f.name.empty(); });
  }
  std::string_view channel, number, type, provider;
  for (const Field& f : fields) {
    if (f.name == "Channel") channel = f.value;
    if (f.name == "EventID") number = f.value;
    if (f.name == "EventType") type = f.value;
    if (f.name == "SourceName") provider = f.value;
    if (f.name == "Provider_Name") provider = {};
  }
  auto event_id = to_int<int>(number);
  if (channel.empty() || !event_id) return nested;

  logsource = {"windows", {}, {}};
  for (const ChannelRow& row : kChannels) {
    if (equals_ignore_case(channel, row.channel)) logsource.service = row.service;
  }
  logsource.category = category_of(logsource.service, *event_id, type);
  if (!provider.empty()) fields.push_back({"Provider_Name", provider, Kind::text});
  if (logsource.service == "security") {
    if (*event_id == 4688) add_taxonomy(fields, kProcessCreation);
    if (*event_id == 4657) add_taxonomy(fields, kRegistry);
    if (*event_id == 5156) add_taxonomy(fields, kConnection);
  }
  return true;
}

}  // namespace cw::detect
