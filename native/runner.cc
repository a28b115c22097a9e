// The C interface of every native runtime: arguments checked, exceptions turned into messages.
#include "runner.h"

#include <algorithm>
#include <exception>

#include "samara_runner.h"

// The only symbols that a library shows: two runtimes in one process must not share the rest.
#define SAMARA_EXPORT extern "C" __attribute__((visibility("default")))

struct samara_session {
  std::unique_ptr<samara::Session> session;
};

namespace {

thread_local std::string last_error;

// Runs `body`; false, with the message kept, when it throws.
template <typename Body>
bool guarded(Body body) {
  try {
    body();
    return true;
  } catch (const samara::UnsupportedError &error) {
    last_error = std::string("unsupported: ") + error.what();
  } catch (const samara::FormatError &error) {
    last_error = std::string("format: ") + error.what();
  } catch (const std::exception &error) {
    last_error = error.what();
  } catch (...) {
    last_error = "an exception of unknown type";
  }
  return false;
}

samara::Settings parse_settings(const char *text) {
  samara::Settings settings;
  std::string rest = text == nullptr ? "" : text;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find(';'), rest.size());
    const std::string entry = rest.substr(0, end);
    const size_t equals = entry.find('=');
    if (equals == std::string::npos) throw samara::UnsupportedError("setting \"" + entry + "\" has no value");
    settings[entry.substr(0, equals)] = entry.substr(equals + 1);
    rest = end == rest.size() ? "" : rest.substr(end + 1);
  }
  return settings;
}

int32_t write_shape(const samara::Dims &shape, int64_t *dims, int32_t capacity) {
  const int32_t rank = static_cast<int32_t>(shape.size());
  for (int32_t i = 0; i < std::min(rank, capacity); i++) dims[i] = shape[i];
  return rank;
}

void check_count(size_t count, const samara::Dims &shape, const char *what) {
  const size_t expected = samara::count_of(shape);
  if (count == expected) return;
  throw std::runtime_error(std::string(what) + " must have " + std::to_string(expected) + " values, got " +
                           std::to_string(count));
}

}  // namespace

namespace samara {

size_t count_of(const Dims &dims) {
  // A gigabyte of floats: far above any tensor of a network that runs on one machine in milliseconds.
  constexpr size_t most = size_t{1} << 28;
  size_t count = 1;
  for (const int64_t dim : dims) {
    if (dim < 1 || static_cast<size_t>(dim) > most / count) throw FormatError("a tensor has impossible dimensions");
    count *= static_cast<size_t>(dim);
  }
  return count;
}

const std::string &setting(const Settings &settings, const std::string &name) {
  const auto found = settings.find(name);
  if (found == settings.end()) throw UnsupportedError("setting \"" + name + "\" is missing");
  return found->second;
}

}  // namespace samara

SAMARA_EXPORT const char *samara_version(void) {
  static std::string version;
  if (!guarded([] { version = samara::runtime_version(); })) return "";
  return version.c_str();
}

SAMARA_EXPORT const char *samara_error(void) { return last_error.c_str(); }

SAMARA_EXPORT samara_session *samara_load(const uint8_t *model, size_t size, const char *settings, int32_t threads) {
  auto holder = std::make_unique<samara_session>();
  const bool loaded = guarded([&] {
    if (threads < 1) throw samara::UnsupportedError("threads must be at least 1, got " + std::to_string(threads));
    holder->session = samara::load_session(model, size, parse_settings(settings), threads);
  });
  return loaded ? holder.release() : nullptr;
}

SAMARA_EXPORT int32_t samara_input_shape(const samara_session *session, int64_t *dims, int32_t capacity) {
  return write_shape(session->session->input_shape(), dims, capacity);
}

SAMARA_EXPORT int32_t samara_output_shape(const samara_session *session, int64_t *dims, int32_t capacity) {
  return write_shape(session->session->output_shape(), dims, capacity);
}

SAMARA_EXPORT int32_t samara_set_input(samara_session *session, const float *values, size_t count) {
  return guarded([&] {
    check_count(count, session->session->input_shape(), "the input");
    session->session->set_input(values);
  });
}

SAMARA_EXPORT int32_t samara_run(samara_session *session) {
  return guarded([&] { session->session->run(); });
}

SAMARA_EXPORT int32_t samara_output(samara_session *session, float *values, size_t count) {
  return guarded([&] {
    check_count(count, session->session->output_shape(), "the output");
    session->session->output(values);
  });
}

SAMARA_EXPORT void samara_free(samara_session *session) {
  guarded([&] { delete session; });
}
