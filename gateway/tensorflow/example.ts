import protobuf from 'protobufjs';
import type { RoundedNumber } from '../../schemas/exact-number.js';

/** Values of a feature: exactly one of the lists. */
export interface Feature {
  readonly bytesList?: { readonly value: readonly Uint8Array[] };
  readonly floatList?: { readonly value: readonly (number | bigint | RoundedNumber)[] };
  readonly int64List?: { readonly value: readonly (number | bigint | string)[] };
}

/** A `tf.Example`: features by name. */
export type Example = Readonly<Record<string, Feature>>;

/** https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/example/feature.proto */
const { root } = protobuf.parse(
  `syntax = "proto3"; package tensorflow;
   message BytesList { repeated bytes value = 1; }
   message FloatList { repeated float value = 1 [packed = true]; }
   message Int64List { repeated int64 value = 1 [packed = true]; }
   message Feature { oneof kind { BytesList bytes_list = 1; FloatList float_list = 2; Int64List int64_list = 3; } }
   message Features { map<string, Feature> feature = 1; }
   message Example { Features features = 1; }`,
);
const Message = root.lookupType('tensorflow.Example');

/** Serializes an example, as models with an `inputs` tensor of serialized examples take it. */
export function encodeExample(example: Example): Buffer {
  const feature = Object.fromEntries(
    Object.entries(example).map(([name, { int64List, floatList, ...rest }]) => [
      name,
      int64List
        ? { int64List: { value: int64List.value.map(String) } }
        : floatList
          ? { floatList: { value: floatList.value.map(Number) } }
          : rest,
    ]),
  );
  return Buffer.from(Message.encode(Message.fromObject({ features: { feature } })).finish());
}
