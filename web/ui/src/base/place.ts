/** Which city this screen belongs to: the first part of its address. */
export const city: string = decodeURIComponent(location.pathname.split("/")[1] ?? "");
