import {
  type ConfigType,
  type ConfigValue,
  HIDDEN,
  MAX_LONG_TEXT,
  MIN_LONG_TEXT,
  Password,
} from './config-key.ts';

/** Prints a parsed value as Kafka's `ConfigDef.convertToString`; passwords hidden, null stays null. */
export function printValue(value: ConfigValue, type: ConfigType): string | null {
  if (value === null) return null;
  if (value instanceof Password) return HIDDEN;
  if (typeof value === 'object') return value.join(',');
  if (typeof value === 'number') {
    if (type === 'double') return printDouble(value);
    if (value === Number.MAX_SAFE_INTEGER) return MAX_LONG_TEXT;
    if (value === Number.MIN_SAFE_INTEGER) return MIN_LONG_TEXT;
  }
  return String(value);
}

/** Java's `Double.toString`: decimal from 10^-3 up to 10^7, otherwise `d.dddEn`; always with a fraction. */
function printDouble(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const magnitude = Math.abs(value);
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  if (magnitude >= 1e-3 && magnitude < 1e7) return Number.isInteger(value) ? `${value}.0` : String(value);
  const [mantissa = '', exponent = ''] = value.toExponential().split('e');
  return `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}E${exponent.replace('+', '')}`;
}
