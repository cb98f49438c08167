import { type CreditNote, type Invoice, invoiceWords } from '#billing';
import { documentText } from '../components/document.ts';
import type { Frame } from '../frame.ts';
import { invoiceSheetPath, PATHS } from '../urls.ts';
import { AccountPage } from './account-page.tsx';

/** An invoice or a credit note, to keep or to print. */
export function renderInvoice(given: { frame: Frame; document: Invoice | CreditNote }): string {
  const { document, frame } = given;
  const words = invoiceWords(document, frame.paper);
  return documentText(
    <AccountPage frame={frame} title={words.title}>
      {words.copy !== undefined && <p class="invoice-copy">{words.copy}</p>}
      <p class="state-line" data-invoice={document.kind === 'invoice' ? document.status : 'credit-note'}>
        {words.state}
      </p>
      <dl class="ledger">
        {words.facts.map(([what, said]) => (
          <div>
            <dt>{what}</dt>
            <dd>{said}</dd>
          </div>
        ))}
        {words.parties.map(({ lines, role }) => (
          <div>
            <dt>{role}</dt>
            <dd>
              {lines.map((line, at) => (
                <>
                  {at > 0 && <br />}
                  {line}
                </>
              ))}
            </dd>
          </div>
        ))}
      </dl>
      <table class="invoice">
        <caption>What was sold</caption>
        <thead>
          <tr>
            <th scope="col">{words.columns.service}</th>
            <th scope="col">{words.columns.serviceCode}</th>
            <th scope="col" class="number">
              {words.columns.amount}
            </th>
          </tr>
        </thead>
        <tbody>
          {words.lines.map((line) => (
            <tr>
              <th scope="row">
                {line.description}
                <span>{line.period}</span>
              </th>
              <td>{line.serviceCode}</td>
              <td class="number">{line.amount}</td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          {words.sums.map(([what, sum]) => (
            <tr>
              <th scope="row" colspan={2}>
                {what}
              </th>
              <td class="number">{sum}</td>
            </tr>
          ))}
        </tfoot>
      </table>
      {words.foot.map((line) => (
        <p class="field-hint">{line}</p>
      ))}
      {words.signature !== undefined && (
        <p class="signature">
          {words.signature.map((line) => (
            <span>{line}</span>
          ))}
        </p>
      )}
      <div class="account-acts">
        <a href={invoiceSheetPath(document.id)}>Download as PDF</a>
        <a href={PATHS.account}>Back to your account</a>
      </div>
    </AccountPage>,
  );
}
