import assert from 'node:assert/strict';
import { test } from 'node:test';
import { comparable, namesPool } from '../../core/issuers.ts';

test('an issuer is the same with its host in capitals, its default port, or a slash at its end', () => {
  for (const same of [
    'https://id.example/a',
    'https://ID.Example/a',
    'HTTPS://id.example:443/a',
    'https://id.example/a/',
    'https://id.example/b/../a//',
  ]) {
    assert.equal(comparable(same), comparable('https://id.example/a'), same);
  }
  for (const other of [
    'https://id.example/A',
    'https://id.example',
    'https://id.example:8443/a',
    'http://id.example/a',
    'https://idp.example/a',
    'no URL',
  ]) {
    assert.notEqual(comparable(other), comparable('https://id.example/a'), other);
  }
});

test('a pool is named by its id in the path, whatever the host and the region', () => {
  const id = 'eu-west-1_aBcDeFgHi';
  for (const url of [
    `https://cognito-idp.eu-west-1.amazonaws.com/${id}`,
    `https://issuer-cognito-idp.eu-west-1.amazonaws.com/${id}`,
    `https://cognito-idp.cn-north-1.amazonaws.com.cn/${id}`,
    `https://cognito-idp-fips.us-gov-west-1.amazonaws.com/${id}/`,
    `https://cognito-idp.eu-west-1.amazonaws.com/${id}/.well-known/jwks.json`,
    `https://proxy.example/keys/${id.replace('_', '%5F')}`,
  ]) {
    assert.equal(namesPool(url, id), true, url);
  }
  for (const url of [
    'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_another',
    `https://cognito-idp.eu-west-1.amazonaws.com/${id}x`,
    `https://id.example/?pool=${id}`,
    'https://id.example/%E0%A4%A',
    'https://id.example',
    id,
  ]) {
    assert.equal(namesPool(url, id), false, url);
  }
});
