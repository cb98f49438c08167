-- What an invoice has to say of its seller besides the GSTIN: the number for VAT, and India's letter of undertaking, by which
-- exports are free of tax for a financial year.

alter table publication.settings
  add column vat_number text not null default '',
  add column lut_number text not null default '';
