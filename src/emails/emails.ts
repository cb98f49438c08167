import type { MailKind, MailPayload, NewMail } from '#mail';
import {
  renderAccountDeleted,
  renderAccountInvitation,
  renderAddressChanged,
  renderPasswordChanged,
} from './account-notices.tsx';
import {
  renderAddressChangeCode,
  renderPasswordResetCode,
  renderSignInCode,
  renderWelcomeCode,
} from './codes.tsx';
import { renderComeBack } from './come-back.tsx';
import { renderDeskLink } from './desk-link.tsx';
import { renderGift, renderGiftBegan, renderGiftBought, renderGiftRedeemed } from './gift-mails.tsx';
import type { MailFrame, Written } from './letter.tsx';
import { renderPriceChange, renderPriceStays } from './price-notices.tsx';
import { renderReceipt } from './receipt.tsx';
import {
  renderRefund,
  renderRenewalFailed,
  renderRenewalNotice,
  renderSubscriptionOver,
  renderSubscriptionPaused,
  renderSubscriptionRests,
  renderWithdrawalConfirmed,
} from './renewal-notices.tsx';
import {
  renderPaymentFailed,
  renderSeatInvitation,
  renderSubscriptionEnds,
  renderSubscriptionGoesOn,
  renderTrialBegan,
} from './subscription-notices.tsx';

export type { MailFrame, Written } from './letter.tsx';
export { sendPosted } from './send-posted.ts';

/** How each kind of mail is written. A kind that stands in `#mail` and not here does not compile. */
const RENDERERS: {
  readonly [Kind in MailKind]: (payload: MailPayload<Kind>, frame: MailFrame) => Written;
} = {
  'sign-in-code': renderSignInCode,
  'welcome-code': renderWelcomeCode,
  'password-reset-code': renderPasswordResetCode,
  'address-change-code': renderAddressChangeCode,
  'address-changed': renderAddressChanged,
  'password-changed': renderPasswordChanged,
  'account-invitation': renderAccountInvitation,
  receipt: renderReceipt,
  gift: renderGift,
  'gift-bought': renderGiftBought,
  'gift-redeemed': renderGiftRedeemed,
  'gift-began': renderGiftBegan,
  'seat-invitation': renderSeatInvitation,
  'trial-began': renderTrialBegan,
  'subscription-ends': renderSubscriptionEnds,
  'subscription-goes-on': renderSubscriptionGoesOn,
  'payment-failed': renderPaymentFailed,
  'renewal-notice': renderRenewalNotice,
  'price-change': renderPriceChange,
  'price-stays': renderPriceStays,
  'renewal-failed': renderRenewalFailed,
  'subscription-rests': renderSubscriptionRests,
  'subscription-over': renderSubscriptionOver,
  'come-back': renderComeBack,
  'subscription-paused': renderSubscriptionPaused,
  'withdrawal-confirmed': renderWithdrawalConfirmed,
  refund: renderRefund,
  'account-deleted': renderAccountDeleted,
  'desk-link': renderDeskLink,
};

/** Writes a mail of any kind: its subject, and its two versions. */
export function renderMail<Kind extends MailKind>(
  mail: Pick<Extract<NewMail, { kind: Kind }>, 'kind' | 'payload'>,
  frame: MailFrame,
): Written {
  const render = RENDERERS[mail.kind] as (payload: unknown, frame: MailFrame) => Written;
  return render(mail.payload, frame);
}
