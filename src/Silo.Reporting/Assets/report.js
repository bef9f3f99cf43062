'use strict';
(() => {
  const root = document.documentElement;
  root.classList.add('js');
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const el = (name, text, className) => {
    const e = document.createElement(name);
    if (text !== undefined) e.textContent = text;
    if (className) e.className = className;
    return e;
  };

  document.addEventListener('DOMContentLoaded', () => {
    const data = JSON.parse(document.getElementById('data').textContent);
    const card = document.getElementById('card');
    const live = document.getElementById('live');
    const chosen = {};
    let owner = null;

    const quantity = v => v === null || v === undefined ? 'undefined'
      : v !== 0 && Math.abs(v) < 1e-4 ? v.toExponential(2) : Math.abs(v) >= 1e4 ? Math.round(v).toLocaleString('en') : String(Number(v.toPrecision(3)));
    const visible = s => (s.length > 60 ? s.slice(0, 60) + '\u2026' : s).replace(/\n/g, '\u21b5').replace(/\t/g, '\u21e5').replace(/^ | $/g, '\u2423') || '(empty)';

    // Switches: a block shows when every attribute it has agrees with what is chosen.
    const apply = () => {
      for (const block of all('.view'))
        block.classList.toggle('on', ['gold', 'view', 'pair'].every(k => !(k in block.dataset) || !(k in chosen) || block.dataset[k] === chosen[k]));
    };

    // The card: what a row or a token is about, near to it; it never takes the focus.
    function show(at, ...content) {
      card.replaceChildren(...content);
      card.hidden = false;
      const [box, size] = [at.getBoundingClientRect(), card.getBoundingClientRect()];
      const below = box.bottom + 8 + size.height < innerHeight || box.top < size.height + 8;
      card.style.left = `${Math.max(8, Math.min(box.left, root.clientWidth - size.width - 8)) + scrollX}px`;
      card.style.top = `${(below ? box.bottom + 8 : box.top - size.height - 8) + scrollY}px`;
    }
    function hide() { card.hidden = true; owner = null; for (const here of all('.here')) here.remove(); }

    // What a card leaves to the table.
    const more = new Set(['tau-b', 'rho, pooled', 'within one T', 'unit']);

    // Forest plots: the card is the row of the table that holds the same numbers.
    function showRow(link) {
      const row = document.getElementById(link.dataset.row);
      if (!row) return;
      const heads = all('thead th', row.closest('table'));
      const list = el('dl');
      [...row.cells].forEach((cell, i) => {
        if (i > 0 && !more.has(heads[i].textContent) && !['', '\u2013'].includes(cell.textContent)) list.append(el('dt', heads[i].textContent), el('dd', cell.textContent));
      });
      owner = link;
      show(link.parentElement.querySelector('.fplot') ?? link, el('h4', row.cells[0].textContent), list);
    }
    for (const rows of all('.frows')) {
      const links = all('.fname', rows);
      links.forEach((link, i) => { link.tabIndex = i === 0 ? 0 : -1; });
      rows.addEventListener('focusin', e => showRow(e.target.closest('.fname')));
      rows.addEventListener('focusout', hide);
      rows.addEventListener('pointerover', e => { const row = e.target.closest('.frow'); if (row) showRow(row.querySelector('.fname')); });
      rows.addEventListener('pointerleave', hide);
      rows.addEventListener('keydown', e => {
        const step = { ArrowDown: 1, ArrowUp: -1, Home: -links.length, End: links.length }[e.key];
        if (!step) return;
        e.preventDefault();
        const from = links.indexOf(document.activeElement);
        const to = links[Math.max(0, Math.min(links.length - 1, from + step))];
        links[from].tabIndex = -1;
        to.tabIndex = 0;
        to.focus();
      });
      rows.addEventListener('click', e => {
        const row = document.getElementById(e.target.closest('.fname')?.dataset.row);
        if (row) row.closest('details').open = true;
      });
    }

    // Tokens.
    const textOf = box => { const [p, t] = box.dataset.text.split('-').map(Number); return data.prompts[p].texts[t]; };
    const share = (scale, v) => v === null || !(scale.high > scale.low) ? 0 : Math.max(0, Math.min(1, scale.logarithmic
      ? Math.log(Math.max(v, scale.low) / scale.low) / Math.log(scale.high / scale.low) : (v - scale.low) / (scale.high - scale.low)));
    function tint(index) {
      const scale = data.scales[index];
      for (const box of all('.tokens[data-text]')) {
        const values = textOf(box).values[index];
        [...box.children].forEach((token, i) => { token.className = `k${Math.round(8 * share(scale, values[i]))}${token.classList.contains('cur') ? ' cur' : ''}`; });
        const strip = document.querySelector(`[data-strip="${box.dataset.text}"]`);
        const [path, svg] = [strip.querySelector('path'), strip.querySelector('svg')];
        const height = Number(svg.getAttribute('height'));
        path.setAttribute('d', values.map((v, i) => {
          const y = (height * (1 - share(scale, v))).toFixed(1);
          return `${i ? 'L' : 'M'}${(1000 * i / values.length).toFixed(1)} ${y}L${(1000 * (i + 1) / values.length).toFixed(1)} ${y}`;
        }).join(''));
        svg.setAttribute('aria-label', `${scale.title} along the text`);
      }
      const legend = document.getElementById('tintlegend');
      legend.querySelector('.lo').textContent = quantity(scale.low);
      legend.querySelector('.hi').textContent = `${quantity(scale.high)} ${scale.unit} or more`;
      legend.querySelector('.soft').textContent = `the same scale for all texts${scale.logarithmic ? ', equal steps are equal ratios' : ''}; the strongest tints are underlined, too`;
    }
    function tokenCard(box, i) {
      const [text, list] = [textOf(box), el('dl')];
      const [index, c] = [Number(chosen.tint ?? 0), text.cards[i]];
      const head = el('h4');
      head.append(el('mark', visible(box.children[i].textContent)), el('span', ` token ${i + 1} of ${text.tokens.length}, T = ${text.temperature}`, 'soft'));
      const fact = (name, value) => list.append(el('dt', name), el('dd', value));
      if (c) {
        fact('p, before', quantity(c.p));
        fact('q, after', quantity(c.q));
        fact('rank', quantity(c.rank));
        fact('entropy', `${quantity(c.entropyP)} \u2192 ${quantity(c.entropyQ)} nats`);
        fact('leak', quantity(c.leak));
      }
      data.scales.forEach((scale, s) => {
        if (!c || (s === index && !['leak', 'rank_x'].includes(scale.feature))) fact(scale.title, `${quantity(text.values[s][i])} ${scale.unit}`);
      });
      if (!c) return [head, list];
      const [table, headRow, body] = [el('table'), el('tr'), el('tbody')];
      headRow.append(el('th', 'top ten'), el('th', 'p'), el('th', 'q'));
      const thead = el('thead');
      thead.append(headRow);
      table.append(thead, body);
      const bar = (kind, v) => {
        const [cell, fill] = [el('td', undefined, `pq ${kind}`), el('i')];
        fill.style.width = `${100 * v}%`;
        cell.append(fill, el('b', quantity(v)));
        return cell;
      };
      c.top.forEach((word, k) => {
        const row = el('tr');
        row.append(el('td', visible(data.vocabulary[word]), k + 1 === c.rank ? 'drawn' : ''), bar('p', c.topP[k]), bar('q', c.topQ[k]));
        body.append(row);
      });
      return [head, list, table];
    }
    function point(box, i, speak) {
      const token = box.children[i];
      if (!token) return;
      for (const here of all('.here')) here.remove();
      const here = el('span', undefined, 'here');
      here.style.left = `${100 * (i + .5) / box.children.length}%`;
      document.querySelector(`[data-strip="${box.dataset.text}"]`).append(here);
      owner = box;
      show(token, ...tokenCard(box, i));
      if (!speak) return;
      const c = textOf(box).cards[i];
      live.textContent = visible(token.textContent) + (c ? `: p ${quantity(c.p)}, q ${quantity(c.q)}, rank ${c.rank}, leak ${quantity(c.leak)}` : '');
    }
    function move(box, i) {
      box.querySelector('.cur')?.classList.remove('cur');
      box.children[i].classList.add('cur');
      box.dataset.at = i;
      const token = box.children[i];
      const [t, b] = [token.getBoundingClientRect(), box.getBoundingClientRect()];
      if (t.top < b.top || t.bottom > b.bottom || t.top < 60 || t.bottom > innerHeight - 40) token.scrollIntoView({ block: 'nearest' });
      point(box, i, true);
    }
    // The token on the next line that is nearest to straight below or above.
    function line(box, i, step) {
      const here = box.children[i].getBoundingClientRect();
      let [best, found] = [i, null];
      for (let k = i + step; k >= 0 && k < box.children.length; k += step) {
        const there = box.children[k].getBoundingClientRect();
        if (Math.abs(there.top - here.top) < 4) continue;
        if (found !== null && Math.abs(there.top - found.top) > 4) break;
        if (found === null || Math.abs(there.left - here.left) < Math.abs(found.left - here.left)) [best, found] = [k, there];
      }
      return best;
    }
    for (const box of all('.tokens[data-text]')) {
      const tokens = [...box.children];
      const at = () => Number(box.dataset.at ?? 0);
      box.addEventListener('focus', () => { if (tokens.length) move(box, at()); });
      box.addEventListener('blur', () => { box.querySelector('.cur')?.classList.remove('cur'); hide(); });
      box.addEventListener('pointerover', e => { const i = tokens.indexOf(e.target); if (i >= 0) point(box, i, false); });
      box.addEventListener('pointerleave', () => { if (document.activeElement === box) point(box, at(), false); else hide(); });
      box.addEventListener('click', e => { const i = tokens.indexOf(e.target); if (i >= 0) { box.focus({ preventScroll: true }); move(box, i); } });
      box.addEventListener('keydown', e => {
        const i = at();
        const to = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: tokens.length - 1 }[e.key]
          ?? (e.key === 'ArrowDown' ? line(box, i, 1) : e.key === 'ArrowUp' ? line(box, i, -1) : undefined);
        if (to === undefined) return;
        e.preventDefault();
        move(box, Math.max(0, Math.min(tokens.length - 1, to)));
      });
    }
    document.addEventListener('keydown', e => { if (e.key === 'Escape') hide(); });
    addEventListener('resize', hide);

    for (const set of all('[data-switch]')) {
      const key = set.dataset.switch;
      const read = () => {
        chosen[key] = set.querySelector('input:checked').value;
        if (key === 'theme') { if (chosen.theme === 'auto') delete root.dataset.theme; else root.dataset.theme = chosen.theme; }
        else if (key === 'tint') tint(Number(chosen.tint));
        else apply();
      };
      set.addEventListener('change', read);
      read();
    }

    // The part that is being read is marked in the contents.
    const entries = new Map(all('.contents a').map(a => [a.hash.slice(1), a]));
    const seen = new IntersectionObserver(changes => {
      for (const { target, isIntersecting } of changes) {
        if (!isIntersecting) continue;
        for (const a of entries.values()) a.removeAttribute('aria-current');
        entries.get(target.id)?.setAttribute('aria-current', 'true');
      }
    }, { rootMargin: '-15% 0px -80% 0px' });
    for (const section of all('section')) seen.observe(section);

    // On paper everything is open.
    let closed = [];
    addEventListener('beforeprint', () => { closed = all('details:not([open])'); for (const d of closed) d.open = true; });
    addEventListener('afterprint', () => { for (const d of closed) d.open = false; });
  });
})();
