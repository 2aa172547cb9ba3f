import { execFile } from 'node:child_process';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** Creates a self-signed certificate for 127.0.0.1 with openssl. @param target files to replace */
export async function createCertificate(
  folder: string,
  name: string,
  target: CertificateFiles = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) },
): Promise<CertificateFiles> {
  const created = { cert: join(folder, 'new.pem'), key: join(folder, 'new.key') };
  const options = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const subject = ['-days', '2', '-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
  await promisify(execFile)('openssl', [
    ...options,
    ...subject,
    '-keyout',
    created.key,
    '-out',
    created.cert,
  ]);
  await rename(created.key, target.key);
  await rename(created.cert, target.cert);
  return target;
}
