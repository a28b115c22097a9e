// The interface between Samara and a native runtime: one shared library a runtime, loaded into the sampler process
// by src/platform/native-library.ts and, under a simulator, into samara_simulate.
//
// Values are float32, NCHW outside whatever the runtime's own layout; a session keeps its input and output
// allocated, and samara_run does one inference and nothing else. Functions that can fail return 0 or NULL for
// failure and leave a message for samara_error(); no exception leaves a library.
#ifndef SAMARA_RUNNER_H
#define SAMARA_RUNNER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct samara_session samara_session;

// Version of the runtime, e.g. "2.6.3".
const char *samara_version(void);

// Message of the last failure. Begins with "unsupported: " when the runtime cannot run the model, and with
// "format: " when the bytes are no model.
const char *samara_error(void);

// Load a model. `settings` is "key=value;key=value" of what changes latency ("" for none); threads counts the caller.
// Settings that hold for the whole process (thread pools, instruction sets) are those of the first session.
samara_session *samara_load(const uint8_t *model, size_t size, const char *settings, int32_t threads);

// Number of dimensions; writes at most `capacity` of them.
int32_t samara_input_shape(const samara_session *session, int64_t *dims, int32_t capacity);
int32_t samara_output_shape(const samara_session *session, int64_t *dims, int32_t capacity);

int32_t samara_set_input(samara_session *session, const float *values, size_t count);
int32_t samara_run(samara_session *session);
int32_t samara_output(samara_session *session, float *values, size_t count);

void samara_free(samara_session *session);

#ifdef __cplusplus
}
#endif
#endif
