#!/usr/bin/env bash
# Builds and tests as much of Silo.sln as the configured package sources can supply; needs bash and the .NET SDK alone.
# Names every project that is left out, and why. The last line is "N passed, N failed, N skipped"; exit 0 if none failed.
#   CI=true      also installs the system packages that some tests need (elsewhere those tests are skipped, by name)
#   SILO_LONG=1  also runs the long fuzz and soak tests
set -euo pipefail
cd "$(dirname "$0")"
export DOTNET_CLI_UI_LANGUAGE=en DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
# Compiler and MSBuild servers that stay behind would hold memory and, in CI, the job.
export MSBUILDDISABLENODEREUSE=1 UseSharedCompilation=false
out=artifacts/test
rm -rf "$out"
mkdir -p "$out"
step() { printf '\n== %s (%s s)\n' "$1" "$SECONDS"; }
fail() { printf 'test.sh: %s\n' "$1" >&2; exit 1; }

if [ "${CI:-}" = true ]; then
  step "system packages"
  missing=()
  command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || missing+=(chromium)
  [ -n "$(ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null)" ] || command -v initdb >/dev/null || missing+=(postgresql)
  command -v npm >/dev/null || missing+=(nodejs npm)
  command -v prometheus >/dev/null && command -v promtool >/dev/null || missing+=(prometheus)
  if [ ${#missing[@]} -eq 0 ]; then
    echo "nothing to install"
  elif command -v apt-get >/dev/null; then
    as_root=; [ "$(id -u)" = 0 ] || as_root=sudo
    export DEBIAN_FRONTEND=noninteractive
    { $as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends "${missing[@]}"; } \
      >"$out/apt.log" 2>&1 || { tail -n 20 "$out/apt.log"; fail "cannot install ${missing[*]}"; }
    echo "installed ${missing[*]}"
  else
    echo "no apt-get: ${missing[*]} not installed, the tests that need it are skipped"
  fi
  azurite=artifacts/azurite
  if [ ! -f "$azurite/node_modules/azurite/dist/src/azurite.js" ] && command -v npm >/dev/null; then
    if npm install --prefix "$azurite" --no-audit --no-fund --ignore-scripts --loglevel=error azurite@3.37.0 >"$out/npm.log" 2>&1; then
      echo "installed azurite"
    else
      tail -n 5 "$out/npm.log"
      echo "azurite not installed, the tests that need it are skipped"
    fi
  fi
fi

step "restore"
# Restoring tells which projects the sources can supply: NU1101 (no such package) and NU1102 (no such version) leave a
# project out, with all that refer to it; any other error is one.
restored=0
dotnet restore Silo.sln -tl:off -v q >"$out/restore.log" 2>&1 || restored=$?
grep -E ': error ' "$out/restore.log" | sort -u >"$out/errors" || true
if [ "$restored" -ne 0 ] && [ ! -s "$out/errors" ]; then cat "$out/restore.log"; fail "restore failed"; fi
if grep -vE ': error NU110[12]: ' "$out/errors"; then fail "restore failed"; fi
dotnet sln Silo.sln list | tr -d '\r' | tr '\\' '/' | grep -E 'proj$' | sort >"$out/all"
: >"$out/left-out"
while read -r project; do
  why=$(grep -F "/$project : error " "$out/errors" | sed -E 's/^.* : error (NU[0-9]+): (.*)$/\1 \2/; s/ *\[[^]]*\]$//' | grep -m 1 'Unable to find') || true
  if [ -n "$why" ]; then
    echo "left out: $project ($why)" | tee -a "$out/left-out"
  elif [ ! -f "$(dirname "$project")/obj/project.assets.json" ]; then
    cat "$out/restore.log"; fail "$project was not restored"
  fi
done <"$out/all"
while read -r project; do
  grep -qF "left out: $project (" "$out/left-out" || echo "$project"
done <"$out/all" >"$out/supplied"
echo "$(wc -l <"$out/supplied" | tr -d ' ') of $(wc -l <"$out/all" | tr -d ' ') projects"
{
  printf '{ "solution": { "path": "../../Silo.sln", "projects": [\n'
  sed 's|/|\\\\|g; s|.*|  "&",|; $s|,$||' "$out/supplied"
  printf '] } }\n'
} >"$out/Supplied.slnf"

step "build"
dotnet build "$out/Supplied.slnf" -c Release --no-restore -tl:off -v q -clp:NoSummary || fail "build failed"

step "format"
# Code style and analyzers are part of the build; what is left is white space, and needs no compilation.
failed=0
if ! dotnet format whitespace . --folder --exclude artifacts/ --verify-no-changes; then
  echo "not formatted (counts as one failure): run dotnet format whitespace . --folder"
  failed=1
fi

limited() { # seconds, command: ends it where it takes longer
  local limit=$1 code=0
  shift
  "$@" &
  local process=$!
  { for _ in $(seq "$limit"); do sleep 1; done; kill -9 "$process"; } >/dev/null 2>&1 &
  local watch=$!
  wait "$process" || code=$?
  kill "$watch" 2>/dev/null || true
  wait "$watch" 2>/dev/null || true
  return "$code"
}
passed=0 skipped=0
count() { # attribute, of all assemblies in a result file
  { grep -oE "<assembly [^>]*" "$2" | grep -oE " $1=\"[0-9]+\"" | grep -oE '[0-9]+' || true; } | paste -sd+ - | sed 's/^$/0/'
}
run_tests() { # projects from standard input, one after the other: leaves result, log and exit code of each
  while read -r project; do
    local name code=0
    name=$(basename "${project%.csproj}")
    limited 1200 dotnet "$(dirname "$project")/bin/Release/net10.0/$name.dll" -noLogo -noColor -xml "$out/$name.xml" >"$out/$name.log" 2>&1 || code=$?
    echo "$code" >"$out/$name.code"
    echo "$name ended ($SECONDS s)"
  done
}
while read -r project; do
  grep -q 'Include="xunit.v3"' "$project" && echo "$project"
done <"$out/supplied" >"$out/tests" || true
step "tests"
# Tests of storages and hosts wait most of their time for servers and processes: they run beside those that compute.
waiting='/(Silo\.Azure|Silo\.Host|Silo\.Postgres)\.Tests\.csproj$'
{ grep -E "$waiting" "$out/tests" || true; } | run_tests &
{ grep -vE "$waiting" "$out/tests" || true; } | run_tests
wait
while read -r project; do
  name=$(basename "${project%.csproj}")
  result=$out/$name.xml code=$(cat "$out/$name.code")
  printf '\n== %s\n' "$name"
  if [ ! -s "$result" ] || ! grep -q '</assemblies>' "$result"; then
    tail -n 30 "$out/$name.log"
    echo "$name ended with exit code $code and without a result"
    failed=$((failed + 1))
    continue
  fi
  p=$(($(count passed "$result"))) f=$(($(count failed "$result") + $(count errors "$result"))) s=$(($(count skipped "$result") + $(count not-run "$result")))
  if [ "$f" -eq 0 ] && [ "$code" -ne 0 ]; then f=1; fi
  if [ "$f" -ne 0 ]; then cat "$out/$name.log"; else grep -A 1 -F '[SKIP]' "$out/$name.log" | grep -v '^--$' || true; fi
  echo "$p passed, $f failed, $s skipped"
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done <"$out/tests"

step "all"
cat "$out/left-out"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
