import { sql } from 'kysely';
import type { Db } from '#platform/db';
import type { Publication } from './publication.ts';

export async function readPublication(db: Db): Promise<Publication> {
  const { rows } = await sql<Publication>`
    select name, tagline, zone, currency, language, contact_email as "contactEmail", seller_name as "sellerName",
      seller_address as "sellerAddress", seller_country as "sellerCountry", seller_state as "sellerState", seller_gstin as "sellerGstin",
      vat_number as "vatNumber", lut_number as "lutNumber", default_access as "defaultAccess",
      withdrawal_refund as "withdrawalRefund"
    from publication.settings`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error('the paper has lost its settings');
  return row;
}

export async function writePublication(db: Db, paper: Publication): Promise<void> {
  await sql`
    update publication.settings set name = ${paper.name}, tagline = ${paper.tagline}, zone = ${paper.zone},
      currency = ${paper.currency}, language = ${paper.language}, contact_email = ${paper.contactEmail},
      seller_name = ${paper.sellerName}, seller_address = ${paper.sellerAddress},
      seller_country = ${paper.sellerCountry}, seller_state = ${paper.sellerState}, seller_gstin = ${paper.sellerGstin},
      vat_number = ${paper.vatNumber}, lut_number = ${paper.lutNumber},
      default_access = ${paper.defaultAccess}, withdrawal_refund = ${paper.withdrawalRefund}`.execute(db);
}
