/**
 * Which file a message without an API of its own lives in. A record of a future release that no rule knows falls into
 * the file of its type and is reported, so that a person can place it.
 */
const FAMILIES = [
  [/^(RequestHeader|ResponseHeader)$/, 'headers'],
  [/^DefaultPrincipalData$/, 'headers'],
  [/^ConsumerProtocol/, 'records/consumer-protocol'],
  [/^(AbortedTxn|ProducerSnapshot)$/, 'records/log-files'],
  [
    /^(ControlRecordTypeSchema|EndTxnMarker|LeaderChangeMessage|SnapshotHeaderRecord|SnapshotFooterRecord|KRaftVersionRecord|VotersRecord)$/,
    'records/control-records',
  ],
  [/^Remote/, 'records/remote-log-records'],
  [/^(GroupMetadata|OffsetCommit|LegacyOffsetCommit)(Key|Value)$/, 'records/group-records'],
  [/^ConsumerGroup\w+(Key|Value)$/, 'records/consumer-group-records'],
  [/^ShareGroup\w+(Key|Value)$/, 'records/share-group-records'],
  [/^StreamsGroup\w+(Key|Value)$/, 'records/streams-group-records'],
  [/^TransactionLog(Key|Value)$/, 'records/transaction-records'],
  [/^Share(Snapshot|Update)(Key|Value)$/, 'records/share-state-records'],
  [
    /^(RegisterBroker|RegisterController|Unregister|BrokerRegistration|Fence|Unfence|Feature|NoOp|ZkMigration|ProducerIds|BeginTransaction|EndTransaction|AbortTransaction)\w*Record$/,
    'records/metadata-cluster-records',
  ],
  [
    /^(Topic|RemoveTopic|Partition|Config|ClientQuota|ClearElr|PartitionChange)\w*Record$/,
    'records/metadata-topic-records',
  ],
  [
    /^(AccessControl|RemoveAccessControl|UserScram|RemoveUserScram|DelegationToken|RemoveDelegationToken)\w*Record$/,
    'records/metadata-security-records',
  ],
];

/** File (below `messages/`, without extension) of a message. */
export function fileOf(spec) {
  if (spec.type === 'request' || spec.type === 'response') {
    return kebabCase(spec.name.replace(/(Request|Response)$/, ''));
  }
  const family = FAMILIES.find(([pattern]) => pattern.test(spec.name));
  if (family !== undefined) return family[1];
  console.warn(`No family for "${spec.name}" (${spec.type}); add one to scripts/import-specs/families.mjs`);
  return `records/other-${spec.type}-records`;
}

export function kebabCase(name) {
  return name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replaceAll(/([A-Z])([A-Z][a-z])/g, '$1-$2')
    .toLowerCase();
}

export function camelCase(name) {
  return name[0].toLowerCase() + name.slice(1);
}
