// samara_simulate: runs models on a native runtime under callgrind, one dump of costs a model, in one process.
//
//   samara_simulate LIBRARY SETTINGS RUNS MODEL...
//
// Of each model RUNS runs are counted, after two that warm up the runtime and, once costs are simulated, one that
// fills the simulated caches. The dump is triggered with the model's place in the list, 0 first. Everything is on
// one thread. Without a simulator it runs the models and dumps nothing.
// A model that cannot be run ends the program: "INDEX: message of the library" on stderr, exit code 2.
#include <dlfcn.h>
#include <valgrind/callgrind.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "samara_runner.h"

namespace {

[[noreturn]] void fail(int code, const std::string &problem) {
  std::fprintf(stderr, "samara_simulate: %s\n", problem.c_str());
  std::exit(code);
}

void *library;

template <typename Function>
Function *find(const char *name) {
  void *symbol = dlsym(library, name);
  if (symbol == nullptr) fail(1, std::string("the library has no ") + name);
  return reinterpret_cast<Function *>(symbol);
}

std::vector<uint8_t> read_file(const char *path) {
  std::FILE *file = std::fopen(path, "rb");
  if (file == nullptr) fail(1, std::string("cannot read ") + path);
  std::vector<uint8_t> bytes;
  uint8_t part[65536];
  for (size_t n; (n = std::fread(part, 1, sizeof part, file)) > 0;) bytes.insert(bytes.end(), part, part + n);
  std::fclose(file);
  return bytes;
}

// Values of about 1, none of them tiny: denormal numbers take other paths.
std::vector<float> input_values(const std::vector<int64_t> &dims) {
  size_t count = 1;
  for (const int64_t dim : dims) count *= static_cast<size_t>(dim);
  std::vector<float> values(count);
  for (size_t i = 0; i < count; i++) values[i] = static_cast<float>(std::sin(static_cast<double>(i) + 0.5));
  return values;
}

}  // namespace

int main(int argc, char **argv) {
  if (argc < 5) fail(1, "usage: samara_simulate LIBRARY SETTINGS RUNS MODEL...");
  library = dlopen(argv[1], RTLD_NOW);
  if (library == nullptr) fail(1, dlerror());
  const auto load = find<decltype(samara_load)>("samara_load");
  const auto error = find<decltype(samara_error)>("samara_error");
  const auto shape = find<decltype(samara_input_shape)>("samara_input_shape");
  const auto set_input = find<decltype(samara_set_input)>("samara_set_input");
  const auto run = find<decltype(samara_run)>("samara_run");
  const auto free_session = find<decltype(samara_free)>("samara_free");
  const int n_runs = std::atoi(argv[3]);
  if (n_runs < 1) fail(1, "RUNS must be at least 1");

  for (int i = 4; i < argc; i++) {
    const std::string index = std::to_string(i - 4);
    const auto check = [&](bool done) {
      if (!done) fail(2, index + ": " + error());
    };
    const std::vector<uint8_t> model = read_file(argv[i]);
    samara_session *session = load(model.data(), model.size(), argv[2], 1);
    check(session != nullptr);
    std::vector<int64_t> dims(8);
    dims.resize(shape(session, dims.data(), 8));
    const std::vector<float> values = input_values(dims);
    check(set_input(session, values.data(), values.size()));
    check(run(session));
    check(run(session));
    CALLGRIND_START_INSTRUMENTATION;
    int done = run(session);
    CALLGRIND_DUMP_STATS_AT("warm");
    for (int j = 0; j < n_runs; j++) done &= run(session);
    CALLGRIND_DUMP_STATS_AT(index.c_str());
    CALLGRIND_STOP_INSTRUMENTATION;
    check(done);
    free_session(session);
  }
  return 0;
}
