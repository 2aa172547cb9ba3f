// Patches for binding/tfjs_backend.cc of @tensorflow/tfjs-node 4.22.0, for a server with many threads and models.
import { SetupError } from './errors.mjs';

/** Makes a global set thread-local: all threads write it without a lock, and each worker thread runs an engine. */
const perThread = {
  from: 'static std::set<std::string> ATTR_NAME_SET;',
  to: 'static thread_local std::set<std::string> ATTR_NAME_SET;',
};

/**
 * Makes the buffer of a tensor own its strings and free them with its last reference. Otherwise deleting a string tensor frees
 * shared characters: constant labels of a model read as empty from the second run on.
 */
const ownStrings = {
  from: `// Creates a TFE_TensorHandle from a JS array of Uint8Array values.
`,
  to: `static void DeallocStrings(void *data, size_t length, void *) {
  TF_TString *strings = static_cast<TF_TString *>(data);
  for (size_t i = 0; i < length / sizeof(TF_TString); i++) {
    TF_TString_Dealloc(strings + i);
  }
  free(data);
}

// Aligned as TensorFlow's kernels demand on every processor.
static TF_Tensor *NewStringTensor(const int64_t *shape, uint32_t shape_length, size_t count) {
  const size_t alignment = 64;
  const size_t length = count * sizeof(TF_TString);
  void *data = aligned_alloc(alignment, (length / alignment + 1) * alignment);
  for (size_t i = 0; i < count; i++) {
    TF_TString_Init(static_cast<TF_TString *>(data) + i);
  }
  return TF_NewTensor(TF_STRING, shape, shape_length, data, length, DeallocStrings, nullptr);
}

// Creates a TFE_TensorHandle from a JS array of Uint8Array values.
`,
};

const createOwning = {
  from: `TF_AllocateTensor(TF_DataType::TF_STRING, shape,
                                         shape_length,
                                         array_length * sizeof(TF_TString))`,
  to: 'NewStringTensor(shape, shape_length, array_length)',
};

const deleteOwnReference = {
  from: `  if (TFE_TensorHandleDataType(tensor_handle) == TF_STRING) {
    TF_AutoStatus tf_status;
    TF_AutoTensor tensor(
        TFE_TensorHandleResolve(tensor_handle, tf_status.status));
    ENSURE_TF_OK(env, tf_status);
    size_t num_elements = GetTensorNumElements(tensor.tensor);
    TF_TString *data = reinterpret_cast<TF_TString *>(TF_TensorData(tensor.tensor));

    // Deallocate each string
    for (size_t i = 0; i < num_elements; i++) {
      TF_TString_Dealloc(data + i);
    }
  };
  TFE_DeleteTensorHandle(tensor_entry->second);
`,
  to: `  TFE_DeleteTensorHandle(tensor_handle);
`,
};

/** Deletes the inputs of a failed run, which returns early. */
const deleteRefusedInputs = {
  from: `    NAPI_THROW_ERROR(env, "Session fail to run with error: %s",
`,
  to: `    for (TF_Tensor *input : input_values) TF_DeleteTensor(input);
    NAPI_THROW_ERROR(env, "Session fail to run with error: %s",
`,
};

export const patches = [perThread, ownStrings, createOwning, deleteOwnReference, deleteRefusedInputs];

/** Applies all patches. Throws SetupError unless each location occurs exactly once. */
export function patch(source) {
  return patches.reduce((text, { from, to }) => {
    const [before, after, ...more] = text.split(from);
    if (after === undefined || more.length > 0)
      throw new SetupError(
        `binding/tfjs_backend.cc of @tensorflow/tfjs-node: expected one occurrence of the patched code, got ${text.split(from).length - 1}: ${from.trim()}`,
      );
    return before + to + after;
  }, source);
}
