import { parseSysctl } from './sysctl.js';

describe('parseSysctl', () => {
  it.each([
    { line: 'net.ipv4.ip_forward = 1', key: 'net.ipv4.ip_forward', value: '1' },
    { line: 'net.ipv4.conf.eth0/100.rp_filter = 2', key: 'net.ipv4.conf.eth0/100.rp_filter', value: '2' },
    { line: 'net.ipv4.ip_local_port_range = 32768\t60999', key: 'net.ipv4.ip_local_port_range', value: '32768\t60999' },
    { line: 'net.ipv4.tcp_congestion_control=cubic', key: 'net.ipv4.tcp_congestion_control', value: 'cubic' },
    { line: 'net.ipv4.ip_local_reserved_ports = ', key: 'net.ipv4.ip_local_reserved_ports', value: '' },
    { line: 'net.x = a=b', key: 'net.x', value: 'a=b' },
  ])('$line', ({ line, key, value }) => {
    expect([...parseSysctl(`${line}\n`)]).toEqual([[key, value]]);
  });

  it('skips what is no setting', () => {
    expect(parseSysctl('sysctl: permission denied on key net.x\n\n').size).toBe(0);
  });
});
