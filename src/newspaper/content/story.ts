import type { StoryElement } from './elements.ts';
import type { LeadPicture, PictureElsewhere } from './lead-picture.ts';

/** Who may read a story; what each level means is the policy's to say. */
export const ACCESS_LEVELS = ['free', 'registered', 'metered', 'premium'] as const;
export type AccessLevel = (typeof ACCESS_LEVELS)[number];

export type Named = { readonly slug: string; readonly name: string };

/**
 * What a request needs to know of a story before it may know more: where it stands, on what terms, and in which
 * revision. It holds no text.
 */
export type StoryHead = {
  readonly id: string;
  readonly shortId: string;
  readonly state: 'draft' | 'published' | 'withdrawn';
  readonly liveAt: Temporal.Instant;
  /** The same in milliseconds since the epoch, rounded up: asked with every request. */
  readonly liveFromMs: number;
  readonly publishedAt: Temporal.Instant;
  readonly section: string;
  readonly slug: string;
  readonly revision: number;
  /** Text, not AccessLevel: a level this program does not know must deny, not fail to parse. */
  readonly level: string;
  /** It has no body: a notice of a headline and a standfirst. */
  readonly empty: boolean;
  readonly topics: readonly string[];
};

/** A story in a list: everything here may be seen by anybody. */
export type StoryCard = {
  readonly id: string;
  readonly shortId: string;
  readonly section: Named;
  readonly slug: string;
  readonly access: string;
  readonly language: string;
  readonly headline: string;
  readonly standfirst: string;
  readonly kicker: string;
  readonly authors: readonly Named[];
  readonly picture: LeadPicture | undefined;
  readonly publishedAt: Temporal.Instant;
  readonly updatedAt: Temporal.Instant;
  readonly liveAt: Temporal.Instant;
  readonly words: number;
};

/** What anybody may see of one story. There is no body field: no view that takes this can show locked text. */
export type PreviewView = StoryCard & {
  readonly revision: number;
  readonly preview: readonly StoryElement[];
  readonly topics: readonly Named[];
};

/** A story as an import, a command or the desk hands it over to be kept. */
export type StoryInput = {
  readonly headline: string;
  readonly standfirst: string;
  readonly kicker: string;
  readonly body: readonly StoryElement[];
  /** What stands before the wall; cut from the body when left out. */
  readonly preview?: readonly StoryElement[];
  readonly section: Named;
  readonly access: AccessLevel;
  /** Not to be published yet, or not any more; left out, it is. */
  readonly state?: 'draft' | 'withdrawn';
  readonly withdrawnReason?: string;
  /** The end of its address, where it had one in another paper of this kind and nobody has it here. */
  readonly shortId?: string;
  readonly authors: readonly Named[];
  readonly topics: readonly Named[];
  readonly picture?: LeadPicture | PictureElsewhere;
  readonly language: string;
  readonly publishedAt: Temporal.Instant;
  readonly updatedAt: Temporal.Instant;
  readonly embargoUntil?: Temporal.Instant;
  readonly originUrl?: string;
  /** Where it stood, as `oldAddress` has it: they lead here from now on. */
  readonly oldAddresses?: readonly string[];
  readonly extra?: Readonly<Record<string, unknown>>;
  readonly source: string;
  readonly sourceId: string;
  /** A digest of the record as it came: the same digest again means that nothing is to be done. */
  readonly digest: Buffer;
};
