export { type Fault, type FaultOptions, type Faults } from './faults.ts';
export { type SeedRecord, type StoredRecord } from './test-records.ts';
export { startBroker, startBroker as startOttla } from './start-broker.ts';
export { TestBroker, type ExpiredMember, type TestBrokerOptions, type TopicSeed } from './test-broker.ts';
export { type TestClock } from './test-clock.ts';
