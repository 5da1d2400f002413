import type { Random } from '../../../firmware-sim/time/random.ts';

/** What frames are made from: real ones, of this connection and of others. */
export interface Corpus {
  /** Good frames for the state, as text. */
  readonly real: readonly string[];
  /** Good frames of other connections and accounts. */
  readonly foreign: readonly string[];
  /** Seals a text as the peer would; undefined before there is a session. */
  readonly seal: ((text: string) => string) | undefined;
  /** Session frames in plain text. */
  readonly inner: readonly string[];
}

const NUMBERS = [
  '1e999',
  '-1e999',
  '9007199254740993',
  '1e308',
  '-0',
  '1.5',
  '-1',
  `${'9'.repeat(400)}`,
  '4294967296',
  '1E400',
];
const TEXTS = [
  '""',
  '"\\ud800"',
  '"\\udfff\\ud800"',
  '"\\u0000"',
  '"__proto__"',
  '"constructor"',
  `"${'x'.repeat(5_000)}"`,
  '"🪴"',
  '"\\ud83d"',
  '"*"',
];
const VALUES = ['null', 'true', '[]', '{}', '[[]]', '{"__proto__":{}}', '[null]', '{"toString":1}', '"1"', '0'];
const NAMES = [
  'type',
  'id',
  'stream',
  'events',
  'g',
  'n',
  'c',
  '__proto__',
  'constructor',
  'version',
  'peer_id',
  'session_id',
  '',
];

/** A frame that nobody would send on purpose, or not here. */
export function fuzzedFrame(random: Random, corpus: Corpus): string {
  const below = (most: number) => Math.floor(random.next() * most);
  const oneOf = (list: readonly string[]): string => list[below(list.length)] ?? '';
  const bytes = (length: number) => Buffer.from(Array.from({ length }, () => below(256)));
  const deep = () => {
    const depth = oneOf(['10', '31', '33', '200', '5000']);
    const [open, close] = random.happens(0.5) ? ['[', ']'] : ['{"a":', '}'];
    return `${open.repeat(Number(depth))}1${close.repeat(Number(depth))}`;
  };
  const value = () =>
    oneOf([oneOf(NUMBERS), oneOf(TEXTS), oneOf(VALUES), deep(), `"${bytes(below(80)).toString('base64url')}"`]);
  const textNoise = () => bytes(below(400)).toString(random.happens(0.5) ? 'latin1' : 'utf8');

  /** Another value, name or a piece of text somewhere in a frame. */
  const mutated = (frame: string): string => {
    const at = below(frame.length + 1);
    switch (below(8)) {
      case 0:
        return frame.slice(0, at);
      case 1:
        return (
          frame.slice(0, at) +
          oneOf(['"', '{', '}', ',', '\\', '\u0000', '\ud800', '€', ' ']) +
          frame.slice(at + below(2))
        );
      case 2:
        return frame.slice(0, at) + frame.slice(Math.max(0, at - below(40)));
      case 3: {
        // One field's value.
        const fields = [...frame.matchAll(/"[a-z_]+":("[^"]*"|-?\d+|\[[^[\]]*\]|null)/g)];
        const field = fields[below(fields.length)];
        if (field?.[1] === undefined) return frame + frame;
        const from = field.index + field[0].length - field[1].length;
        return frame.slice(0, from) + value() + frame.slice(from + field[1].length);
      }
      case 4:
        return frame.replace(/\{/, `{"${oneOf(NAMES)}":${value()},`);
      case 5:
        return frame.replace(/("[a-z_]+":)("[^"]*"|-?\d+),?/, '');
      case 6: {
        const characters = [...frame];
        for (let changes = 1 + below(3); changes > 0; changes -= 1)
          characters[below(characters.length)] = oneOf(['A', 'z', '_', '0', '9']);
        return characters.join('');
      }
      default:
        return frame.replace(
          /"type":"[a-z_]+"/,
          `"type":"${oneOf(['client_hello', 'client_auth', 'publish', 'server_hello', 'rekeyed', 'constructor', 'bye'])}"`,
        );
    }
  };

  const { seal, inner, real, foreign } = corpus;
  if (seal !== undefined && random.happens(0.6)) {
    switch (below(5)) {
      case 0:
        return seal(textNoise());
      case 1:
        return seal(value());
      case 2:
        return mutated(seal(oneOf(inner)));
      default:
        return seal(mutated(oneOf(inner)));
    }
  }
  switch (below(6)) {
    case 0:
      return textNoise();
    case 1:
      return value();
    case 2:
      return oneOf(foreign);
    case 3:
      return `{"g":${oneOf(['0', '1', '4294967295', '-1', '1e3', '0.5'])},"n":"${bytes(12).toString('base64url')}","c":"${bytes(16 + below(200)).toString('base64url')}"}`;
    case 4:
      return `{"type":"client_hello","x":"${'x'.repeat(oneOf(['10', '32000', '40000']) === '10' ? 10 : 33_000)}"}`;
    default:
      return mutated(oneOf(real.length > 0 ? real : foreign));
  }
}
