/** The program's version; a check holds it against package.json. Knows nothing else. */
export const version = "0.1.0"
