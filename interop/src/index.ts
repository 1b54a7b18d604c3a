/** The harness that the interop tests and the benchmarks share: official jars, tools, and brokers in processes. */
export { cacheFolder, interopFolder, repositoryFolder } from './cache.ts';
export { commandWorks, delay, eventually, freePort, mustRun, runCommand } from './command.ts';
export type { CommandOptions, CommandResult } from './command.ts';
export { classPath, compileJavaPrograms, kafkaJars, kafkaVersion } from './kafka-jars.ts';
export type { KafkaJars } from './kafka-jars.ts';
export { JavaProgram } from './java-program.ts';
export type { JavaProgramCall } from './java-program.ts';
export { JavaTools, RunningTool, startToolServer } from './java-tools.ts';
export type { ToolResult } from './java-tools.ts';
export { Peer, answersApiVersions } from './peer.ts';
export type { ClusterMember, PeerKind, PeerOptions } from './peer.ts';
export { startKafkaCluster } from './kafka-cluster.ts';
export { goProgram, kcatProgram, nodeLibrdkafka, pythonWithClients } from './other-clients.ts';
export type { Program } from './other-clients.ts';
export { RawConnection } from './raw-connection.ts';
export { missing, scenarios } from './soak/scenarios.ts';
