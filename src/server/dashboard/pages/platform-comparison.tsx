/** Two platforms beside each other. */
export function PlatformComparison() {
  return null;
}
