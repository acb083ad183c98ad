/** `verify-login` → `VerifyLogin`: how an operation, a plan or a key is called among the constructs. */
export function pascalCase(name: string): string {
  return name.replace(/(?:^|[^A-Za-z0-9]+)([A-Za-z0-9])/g, (_, first: string) => first.toUpperCase());
}
