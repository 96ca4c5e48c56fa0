# cmake -DDIST=folder -DOUT=file.cpp -P embed.cmake
# Writes a C++ file that holds every file below DIST, plain and compressed, as http::Asset table.
file(GLOB_RECURSE files RELATIVE ${DIST} ${DIST}/*)
list(FILTER files EXCLUDE REGEX "\\.gz$")
list(SORT files)
get_filename_component(work ${OUT} DIRECTORY)
set(work ${work}/assets)
file(MAKE_DIRECTORY ${work})
set(code "#include \"http/http.h\"\n\n")
set(table "")
set(n 0)
foreach(file IN LISTS files)
  string(MD5 name ${file})
  configure_file(${DIST}/${file} ${work}/${name} COPYONLY)
  execute_process(COMMAND gzip -9 -n -c ${work}/${name} OUTPUT_FILE ${work}/${name}.gz RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "gzip failed on ${file}")
  endif()
  file(SHA256 ${DIST}/${file} sum)
  string(SUBSTRING ${sum} 0 16 sum)
  set(mime application/octet-stream)
  if(file MATCHES "\\.html$")
    set(mime "text/html; charset=utf-8")
  elseif(file MATCHES "\\.js$")
    set(mime "text/javascript; charset=utf-8")
  elseif(file MATCHES "\\.css$")
    set(mime "text/css; charset=utf-8")
  elseif(file MATCHES "\\.svg$")
    set(mime image/svg+xml)
  elseif(file MATCHES "\\.png$")
    set(mime image/png)
  elseif(file MATCHES "\\.json$|\\.webmanifest$")
    set(mime application/json)
  elseif(file MATCHES "\\.txt$")
    set(mime "text/plain; charset=utf-8")
  endif()
  set(hashed false)
  if(file MATCHES "^assets/")
    set(hashed true)
  endif()
  foreach(part "" ".gz")
    string(REPLACE "." "z" suffix "${part}")
    string(APPEND code "asm(\".section .rodata\\n.global cw_asset_${n}${suffix}\\ncw_asset_${n}${suffix}:\\n.incbin \\\"${work}/${name}${part}\\\"\\n.global cw_asset_${n}${suffix}_end\\ncw_asset_${n}${suffix}_end:\\n.byte 0\\n.previous\\n\");\nextern \"C\" const char cw_asset_${n}${suffix}[], cw_asset_${n}${suffix}_end[];\n")
  endforeach()
  string(APPEND table "    {\"/${file}\", \"${mime}\", bytes(cw_asset_${n}, cw_asset_${n}_end), bytes(cw_asset_${n}zgz, cw_asset_${n}zgz_end), \"\\\"${sum}\\\"\", ${hashed}},\n")
  math(EXPR n "${n} + 1")
endforeach()
string(APPEND code "
namespace cw {
namespace {
[[maybe_unused]] std::string_view bytes(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}
}  // namespace
std::vector<http::Asset> console_assets() {
  return {
${table}  };
}
}  // namespace cw
")
file(WRITE ${OUT} "${code}")
