import { bool, int16, int32, string } from '../schema/field.ts';
import { data, header, type Infer } from '../schema/message-schema.ts';

export const defaultPrincipalData = data('DefaultPrincipalData', { versions: '0', flexible: '0+' }, () => ({
  type: string('0+'),
  name: string('0+'),
  tokenAuthenticated: bool('0+'),
}));
export type DefaultPrincipalData = Infer<typeof defaultPrincipalData>;

export const requestHeader = header('RequestHeader', { versions: '1-2', flexible: '2+' }, () => ({
  requestApiKey: int16('0+'),
  requestApiVersion: int16('0+'),
  correlationId: int32('0+'),
  clientId: string('1+', { nullable: '1+', flexible: 'none' }),
}));
export type RequestHeader = Infer<typeof requestHeader>;

export const responseHeader = header('ResponseHeader', { versions: '0-1', flexible: '1+' }, () => ({
  correlationId: int32('0+'),
}));
export type ResponseHeader = Infer<typeof responseHeader>;
