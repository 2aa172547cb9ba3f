import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { alterUserScramCredentialsV0, Connection } from '@platformatic/kafka';
import kafkajs, { type AclEntry, type Admin } from 'kafkajs';
import type { Acl } from '../../cluster/acls.js';
import type { ConfigInput } from '../../core/config/config.js';
import { startLocalBroker, type LocalBroker } from '../../local-cluster/broker.js';
import { freePort } from '../../local-cluster/ports.js';

const SCRAM_SHA_256 = 1;
const ITERATIONS = 4_096;
const HASH_BYTES = 32;

/** A broker with an authorizer and SCRAM authentication; its plaintext port grants all rights. */
export class LoginBroker {
  private constructor(
    readonly broker: LocalBroker,
    readonly loginPort: number,
    readonly admin: Admin,
  ) {}

  /** @param different Kafka settings that override ours */
  static async start(different: Record<string, string> = {}): Promise<LoginBroker> {
    const [port, loginPort, controllerPort] = [await freePort(), await freePort(), await freePort()];
    const broker = await startLocalBroker({
      port,
      settings: { ...settings(port, loginPort, controllerPort), ...different },
    });
    const admin = new kafkajs.Kafka({
      brokers: [broker.bootstrap],
      logLevel: kafkajs.logLevel.NOTHING,
    }).admin();
    await admin.connect();
    return new LoginBroker(broker, loginPort, admin);
  }

  /** Returns the configuration to log in as a user. */
  login(user: string, password = 'secret'): ConfigInput {
    return {
      brokers: `127.0.0.1:${this.loginPort}`,
      saslMechanism: 'scram-sha-256',
      saslUsername: user,
      saslPassword: password,
    };
  }

  async setPassword(user: string, password = 'secret'): Promise<void> {
    const connection = new Connection('test', { connectTimeout: 5_000 });
    const [host = '', port] = this.broker.bootstrap.split(':');
    await connection.connect(host, Number(port));
    const salt = randomBytes(16);
    const saltedPassword = pbkdf2Sync(password, salt, ITERATIONS, HASH_BYTES, 'sha256');
    const upsertion = { name: user, mechanism: SCRAM_SHA_256, iterations: ITERATIONS, salt, saltedPassword };
    await alterUserScramCredentialsV0.api.async(connection, [], [upsertion]);
    await connection.close();
  }

  /** Grants a user exactly these rights. */
  async allow(user: string, acls: readonly Acl[]): Promise<void> {
    const { ANY } = { ANY: 1 };
    await this.admin.deleteAcls({
      filters: [
        {
          resourceType: ANY,
          resourcePatternType: ANY,
          principal: `User:${user}`,
          operation: ANY,
          permissionType: ANY,
        },
      ],
    });
    if (acls.length > 0) await this.admin.createAcls({ acl: acls.map((acl) => toEntry(acl, user)) });
  }

  async stop(): Promise<void> {
    await this.admin.disconnect();
    await this.broker.stop();
  }
}

function toEntry({ resource, name, isPrefix, operation }: Acl, user: string): AclEntry {
  const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;
  const types = {
    topic: AclResourceTypes.TOPIC,
    group: AclResourceTypes.GROUP,
    cluster: AclResourceTypes.CLUSTER,
    'transactional-id': AclResourceTypes.TRANSACTIONAL_ID,
  };
  return {
    resourceType: types[resource],
    resourceName: name,
    resourcePatternType: isPrefix ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL,
    principal: `User:${user}`,
    host: '*',
    operation: AclOperationTypes[operation],
    permissionType: AclPermissionTypes.ALLOW,
  };
}

function settings(port: number, loginPort: number, controllerPort: number): Record<string, string> {
  return {
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},LOGIN://127.0.0.1:${loginPort},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port},LOGIN://127.0.0.1:${loginPort}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,LOGIN:SASL_PLAINTEXT',
    'listener.name.login.sasl.enabled.mechanisms': 'SCRAM-SHA-256',
    'listener.name.login.scram-sha-256.sasl.jaas.config':
      'org.apache.kafka.common.security.scram.ScramLoginModule required;',
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS',
  };
}
