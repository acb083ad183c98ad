import { comparable, namesPool } from '../core/issuers.ts';

/** The part of the environment that names issuers. */
interface Issuers {
  TRUSTED_ISSUERS: { issuer: string; jwksUri: string; realm: string }[];
  ISSUER: string;
  FORMER_ISSUERS: string[];
  SETTINGS: { realm: string };
  USER_POOL_ID: string;
}

/**
 * Returns why the issuers are unsafe together, without any value. Synthesis refuses most of this, but does
 * not know the id of a new pool and the URL of the stage.
 *
 * The home realm holds the pool's users, under each name of the pool's issuer. Any other issuer in that realm
 * could name them. If the pool were trusted in another realm too, users could enroll there, and sign-ins
 * would not find their record here.
 */
export function issuerFaults(environment: Issuers): string[] {
  const { TRUSTED_ISSUERS: trusted, ISSUER, FORMER_ISSUERS, SETTINGS, USER_POOL_ID } = environment;
  const own = [ISSUER, ...FORMER_ISSUERS].map(comparable);
  const issuers = trusted.map(({ issuer }) => comparable(issuer));
  const isOfPool = (url: string) => namesPool(url, USER_POOL_ID);
  const home = trusted.filter(({ realm }) => realm === SETTINGS.realm);
  const others = trusted.filter(({ realm }) => realm !== SETTINGS.realm);
  const found: [found: boolean, fault: string][] = [
    [new Set(issuers).size < issuers.length, 'names an issuer twice'],
    [issuers.some((issuer) => own.includes(issuer)), 'names the issuer of own tokens'],
    [
      home.some(({ issuer }) => !isOfPool(issuer)),
      "has an issuer that is not the pool's in the pool's realm",
    ],
    [
      others.some(({ issuer, jwksUri }) => isOfPool(issuer) || isOfPool(jwksUri)),
      "has the pool's own issuer in another realm",
    ],
    [new Set(others.map(({ realm }) => realm)).size < others.length, 'has two issuers in one realm'],
  ];
  return found.flatMap(([unsafe, fault]) => (unsafe ? [`TRUSTED_ISSUERS ${fault}`] : []));
}
