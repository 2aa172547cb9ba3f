import kafkajs from 'kafkajs';
import type { ConfigInput } from '../../core/config/config.js';
import { startLocalBroker } from '../../local-cluster/broker.js';
import { freePort } from '../../local-cluster/ports.js';

const USER = 'guest';
const PASSWORD = 'g';

export interface Grant {
  readonly type: 'TOPIC' | 'GROUP' | 'CLUSTER';
  readonly name: string;
  /** `LITERAL` matches one resource, `PREFIXED` all with this prefix. */
  readonly pattern?: 'LITERAL' | 'PREFIXED';
  readonly operations: readonly ('READ' | 'WRITE' | 'CREATE' | 'DESCRIBE' | 'DESCRIBE_CONFIGS')[];
}

/** A broker with an authorizer: plaintext connections have all rights, the guest only granted ones. */
export interface SecuredBroker {
  readonly bootstrap: string;
  readonly guest: ConfigInput;
  grant(grants: readonly Grant[]): Promise<void>;
  stop(): Promise<void>;
}

export async function startSecuredBroker(): Promise<SecuredBroker> {
  const [port, loginPort, controllerPort] = [await freePort(), await freePort(), await freePort()];
  const broker = await startLocalBroker({ port, settings: withRights(port, loginPort, controllerPort) });
  const bootstrap = `127.0.0.1:${port}`;
  return {
    bootstrap,
    guest: {
      brokers: `127.0.0.1:${loginPort}`,
      saslMechanism: 'plain',
      saslUsername: USER,
      saslPassword: PASSWORD,
    },
    grant: (grants) => grant(bootstrap, grants),
    stop: () => broker.stop(),
  };
}

async function grant(bootstrap: string, grants: readonly Grant[]): Promise<void> {
  const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;
  const admin = new kafkajs.Kafka({ brokers: [bootstrap], logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.createAcls({
    acl: grants.flatMap(({ type, name, pattern = 'LITERAL', operations }) =>
      operations.map((operation) => ({
        resourceType: AclResourceTypes[type],
        resourceName: name,
        resourcePatternType: ResourcePatternTypes[pattern],
        principal: `User:${USER}`,
        host: '*',
        operation: AclOperationTypes[operation],
        permissionType: AclPermissionTypes.ALLOW,
      })),
    ),
  });
  await admin.disconnect();
}

function withRights(port: number, loginPort: number, controllerPort: number): Record<string, string> {
  return {
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},LOGIN://127.0.0.1:${loginPort},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port},LOGIN://127.0.0.1:${loginPort}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,LOGIN:SASL_PLAINTEXT',
    'listener.name.login.sasl.enabled.mechanisms': 'PLAIN',
    'listener.name.login.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required user_${USER}="${PASSWORD}";`,
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS',
  };
}
